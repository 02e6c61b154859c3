//! Server operators, and a configuration that is reloaded while one logs in.

use super::Bench;

const CHIEF: &str = "chief:correct-horse";

fn write(file: &std::path::Path, operators: &[&str]) {
    std::fs::write(file, format!("oper = {operators:?}\n")).unwrap();
}

/// What becomes of `/oper` if its operator is removed, or has another password, so many turns after it
/// was sent.
fn oper_during_a_reload(turns: usize, after: &[&str]) -> String {
    let name = format!("chatloop-oper-{}-{turns}-{}.toml", std::process::id(), after.len());
    let file = std::env::temp_dir().join(name);
    write(&file, &[CHIEF, "late:open-sesame"]);
    let mut bench = Bench::new(&[&format!("--config={}", file.display())]);
    let (mut chief, mut late) = (bench.join("chief"), bench.join("late"));
    chief.send("/oper chief correct-horse\n");
    bench.wait_for(&mut chief, "you are now a server operator");
    write(&file, after);
    late.send("/oper late open-sesame\n");
    for _ in 0..turns {
        bench.turn();
    }
    chief.send("/rehash\n");
    bench.wait_for(&mut chief, "reloading");
    bench.settle();
    late.send("/stats\n");
    let told = bench.wait_for(&mut late, "only server operators").concat();
    std::fs::remove_file(file).unwrap();
    told
}

#[test]
fn an_operator_who_is_removed_meanwhile_does_not_become_one() {
    for after in [&[CHIEF][..], &[CHIEF, "late:another-one"]] {
        // The worker has the password when the configuration is reloaded.
        assert!(oper_during_a_reload(0, after).contains("wrong name or password"));
    }
    // It was right, and the journal has the record.
    assert!(oper_during_a_reload(1, &[CHIEF]).contains("you are now a server operator"));
}
