//! Flags that are right, wrong, and wrong together.

use super::*;

fn parse(arguments: &[&str]) -> Result<Config, clap::Error> {
    Config::try_parse_from(["chatloop-server"].iter().chain(arguments))
}

#[test]
fn it_starts_with_nothing_given() {
    let config = parse(&[]).unwrap();
    assert_eq!((config.boot.host.as_str(), config.boot.port), ("127.0.0.1", 7777));
    assert_eq!((config.outbox_soft, config.outbox_hard), (Bytes(1 << 20), Bytes(8 << 20)));
    assert_eq!(config.max_line, Bytes(4096));
    assert_eq!(config.idle_timeout, OrOff::Off);
    config.check().unwrap();
}

#[test]
fn what_is_wrong_and_what_would_be_right_is_said() {
    for (arguments, word) in [
        (["--max-line", "1 foot"], "64k"),
        (["--max-line", "1M"], "32 KiB"),
        (["--flood-limit", "fast"], "20/s"),
        (["--max-data", "100k"], "1 MiB"),
        (["--idle-timeout", "0"], "above 0"),
        (["--max-per-address", "0"], "off"),
        (["--backend", "iocp"], "select"),
        (["--style", "baroque"], "classic"),
        (["--protocol", "gopher"], "plain"),
        (["--channel-modes", "nk"], "i, m, n, s and t"),
        (["--web-origin", "example.org"], "https://example.org"),
        (["--url", "https://example.org/chat"], "https://example.org"),
        (["--metrics-from", "anywhere"], "10.0.0.0/8"),
        (["--proxy-from", "10.0.0.0/33"], "10.0.0.0/8"),
    ] {
        let message = parse(&arguments).unwrap_err().to_string();
        assert!(message.contains(word), "{arguments:?}: {message}");
    }
    let config = parse(&["--outbox-soft", "9M"]).unwrap();
    assert!(config.check().unwrap_err().contains("--outbox-hard (8 MiB)"));
    for network in ["", "two words", "a=b", "a\u{1b}[0m", &"x".repeat(65)] {
        let config = parse(&["--network", network]).unwrap();
        assert!(config.check().unwrap_err().contains("one word without ="), "{network}");
    }
}

#[test]
fn values_are_read() {
    let config = parse(&["--flood-limit", "20/s", "--max-per-address", "off"]).unwrap();
    assert_eq!(config.flood_limit, Some(OrOff::On(LineRate(20))));
    assert_eq!(config.max_per_address, Some(OrOff::Off));
    let config = parse(&["--max-data", "2G"]).unwrap();
    assert_eq!(config.boot.max_data, OrOff::On(Bytes(2 << 30)));
    let config = parse(&["localhost", "0", "--keep-alive", "off"]).unwrap();
    assert_eq!((config.boot.port, config.keep_alive), (0, OrOff::Off));
}
