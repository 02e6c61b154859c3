//! Server operators, and a configuration that is reloaded while one logs in.

use super::Bench;
use crate::scratch::Scratch;

const CHIEF: &str = "chief:correct-horse";

/// What becomes of `/oper` if its operator is removed, or has another password, so many turns after it
/// was sent.
fn oper_during_a_reload(turns: usize, after: &[&str]) -> String {
    let scratch = Scratch::new("operators");
    let write = |operators: &[&str]| scratch.write("chat.toml", format!("oper = {operators:?}\n"));
    let file = write(&[CHIEF, "late:open-sesame"]);
    let mut bench = Bench::new(&["--config", &file]);
    let (mut chief, mut late) = (bench.join("chief"), bench.join("late"));
    chief.send("/oper chief correct-horse\n");
    bench.wait_for(&mut chief, "you are now a server operator");
    write(after);
    late.send("/oper late open-sesame\n");
    for _ in 0..turns {
        bench.turn();
    }
    chief.send("/rehash\n");
    bench.wait_for(&mut chief, "reloading");
    bench.settle();
    late.send("/stats\n");
    bench.wait_for(&mut late, "only server operators").concat()
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
