//! What RPL_ISUPPORT and CAP LS announce is so: each bound is reached, and the next step is not
//! taken.

use crate::common::{Client, Server};
use crate::irc::{ask_bare as ask, server};
use std::collections::HashMap;

/// A client that is in, and the tokens it was told.
fn irc(server: &Server, nick: &str) -> (Client, HashMap<String, String>) {
    let mut client = Client::connect(server.address);
    let welcome = ask(&mut client, &format!("NICK {nick}\r\nUSER {nick} 0 * :Real Name"));
    let lines = welcome.iter().filter_map(|line| line.strip_prefix("005 "));
    let tokens = lines.flat_map(|line| {
        let words = line.strip_suffix(" :are supported by this server").expect("a whole line");
        words.split(' ').skip(1).map(|token| token.split_once('=').unwrap_or((token, "")))
    });
    let tokens = tokens.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    (client, tokens)
}

/// The numerics of some answers.
fn numerics(answers: &[String]) -> Vec<&str> {
    answers.iter().map(|line| line.split(' ').next().unwrap()).collect()
}

#[test]
fn every_bound_is_as_announced() {
    let server = server(&[]);
    let (mut ada, tokens) = irc(&server, "ada");
    let bound = |name: &str| tokens[name].parse::<usize>().unwrap();
    let x = |count: usize| "x".repeat(count);

    let (nick, longer) = (x(bound("NICKLEN")), x(bound("NICKLEN") + 1));
    assert_eq!(numerics(&ask(&mut ada, &format!("NICK {longer}"))), ["432"]);
    assert_eq!(ask(&mut ada, &format!("NICK {nick}")).len(), 1);
    ask(&mut ada, "NICK ada");
    let longest = bound("CHANNELLEN") - 1;
    assert_eq!(numerics(&ask(&mut ada, &format!("JOIN #{}", x(longest + 1)))), ["403"]);
    assert_eq!(ask(&mut ada, &format!("JOIN #{}", x(longest))).len(), 3);
    ask(&mut ada, &format!("PART #{}", x(longest)));
    ask(&mut ada, "JOIN #r");
    ask(&mut ada, &format!("TOPIC #r :{}", x(bound("TOPICLEN") + 1)));
    let topic = &ask(&mut ada, "TOPIC #r")[0];
    assert_eq!(topic.split_once(" :").unwrap().1.len(), bound("TOPICLEN"));
    ask(&mut ada, &format!("AWAY :{}", x(bound("AWAYLEN") + 1)));
    let away =
        &ask(&mut ada, "WHOIS ada").into_iter().find(|line| line.starts_with("301")).unwrap();
    assert_eq!(away.split_once(" :").unwrap().1.len(), bound("AWAYLEN"));
    assert_eq!(
        numerics(&ask(&mut ada, &format!("MODE #r +k {}", x(bound("KEYLEN") + 1)))),
        ["696"]
    );
    let keyed = ask(&mut ada, &format!("MODE #r +k {}", x(bound("KEYLEN"))));
    assert_eq!(numerics(&keyed), [":ada!~ada@127.0.0.1"]);
    assert_eq!(numerics(&ask(&mut ada, "MODE #r -k")), [":ada!~ada@127.0.0.1"]);
    assert_eq!(numerics(&ask(&mut ada, "MODE #r -k")), ["324", "329"], "it has none");
    for mode in ["+k", "+l", "+o", "-v"] {
        let answer = ask(&mut ada, &format!("MODE #r {mode}"));
        let needed = format!("696 ada #r {} * :This mode needs a parameter", &mode[1..]);
        assert_eq!(answer, [needed]);
    }
    let long = format!("SETNAME :{}", x(bound("NAMELEN") + 1));
    assert!(ask(&mut ada, &long)[0].starts_with("FAIL SETNAME INVALID_REALNAME"));

    // The line with its end is as long as announced, and one byte more is too long.
    let fits = format!("ISON {}", x(bound("LINELEN") - 2 - 5));
    assert_eq!(numerics(&ask(&mut ada, &fits)), ["303"]);
    assert_eq!(numerics(&ask(&mut ada, &format!("{fits}x"))), ["417"]);

    let monitored = bound("MONITOR");
    let nicks: Vec<String> = (0..=monitored).map(|number| format!("n{number}")).collect();
    let answers: Vec<String> = nicks
        .chunks(20)
        .flat_map(|some| ask(&mut ada, &format!("MONITOR + {}", some.join(","))))
        .collect();
    let full = format!("734 ada {monitored} n{monitored} :Monitor list is full");
    assert_eq!(answers.iter().filter(|line| **line == full).count(), 1);
}

#[test]
fn every_number_of_targets_is_as_announced() {
    let server = server(&[]);
    let (mut ada, tokens) = irc(&server, "ada");
    let most: HashMap<&str, &str> =
        tokens["TARGMAX"].split(',').map(|it| it.split_once(':').unwrap()).collect();
    let many = |sign: &str, count: usize| {
        (0..count).map(|number| format!("{sign}t{number}")).collect::<Vec<_>>().join(",")
    };
    for command in ["JOIN", "NAMES", "PART", "PRIVMSG", "NOTICE"] {
        let count = most[command].parse::<usize>().unwrap();
        let over = format!("407 ada #t{count} :Too many targets");
        let line = |count| format!("{command} {} :x", many("#", count));
        let fits = ask(&mut ada, &line(count));
        assert!(!numerics(&fits).contains(&"407"), "{command}: {fits:?}");
        let answers = ask(&mut ada, &line(count + 1));
        assert!(answers.contains(&over), "{command}: {answers:?}");
    }
    assert_eq!(tokens["MAXTARGETS"], most["PRIVMSG"]);
    ask(&mut ada, "JOIN #r");
    let count = most["KICK"].parse::<usize>().unwrap();
    let answers = ask(&mut ada, &format!("KICK #r {}", many("", count + 1)));
    assert_eq!(numerics(&answers).iter().filter(|numeric| **numeric == "407").count(), 1);
    assert_eq!(answers.len(), count + 1, "the others are nobody");

    // Modes with an argument, and masks, each list for itself.
    let modes = tokens["MODES"].parse::<usize>().unwrap();
    let masks = |letter: &str, from: usize, count: usize| {
        let masks: Vec<String> = (from..from + count).map(|number| format!("m{number}")).collect();
        format!("MODE #r +{} {}", letter.repeat(count), masks.join(" "))
    };
    let lists: Vec<(&str, usize)> = tokens["MAXLIST"]
        .split(',')
        .map(|it| it.split_once(':').unwrap())
        .map(|(letter, count)| (letter, count.parse().unwrap()))
        .collect();
    assert_eq!(lists.len(), 3);
    for (letter, count) in &lists {
        for from in (0..*count).step_by(modes) {
            ask(&mut ada, &masks(letter, from, modes.min(count - from)));
        }
        let listed = ask(&mut ada, &format!("MODE #r {letter}"));
        assert_eq!(listed.len(), count + 1, "{letter}, and the end of the list");
        let full = ask(&mut ada, &masks(letter, 5_000, 1));
        assert!(full[0].starts_with(&format!("478 ada #r {letter} :")), "{full:?}");
        if let [_, (other, _), _] = &lists[..]
            && other != letter
        {
            let full = ask(&mut ada, &format!("MODE #r +{other}{letter} of-another full"));
            let of_it = |line: &String| line.starts_with(&format!("478 ada #r {letter} :"));
            assert!(full.iter().any(of_it), "{full:?}");
            ask(&mut ada, &format!("MODE #r -{other} of-another"));
        }
        let invalid = ask(&mut ada, &format!("MODE #r +{letter} a,b"));
        assert!(invalid[0].starts_with(&format!("696 ada #r {letter} a,b :")), "{invalid:?}");
        assert_eq!(ask(&mut ada, &masks(letter, 0, 1)), [""; 0], "it is there: {letter}");
    }
}

#[test]
fn nobody_is_in_more_channels_than_announced() {
    let server = server(&[]);
    let (mut ada, tokens) = irc(&server, "ada");
    let most: usize = tokens["CHANLIMIT"].strip_prefix("#:").unwrap().parse().unwrap();
    let names: Vec<String> = (0..=most).map(|number| format!("#c{number}")).collect();
    let answers: Vec<String> = names
        .chunks(20)
        .flat_map(|some| ask(&mut ada, &format!("JOIN {}", some.join(","))))
        .collect();
    let all = numerics(&answers);
    assert_eq!(all.iter().filter(|numeric| **numeric == "366").count(), most);
    assert_eq!(all.iter().filter(|numeric| **numeric == "405").count(), 1);
}

#[test]
fn a_bot_is_known_by_its_mode_everywhere() {
    let server = server(&[]);
    let (mut bot, tokens) = irc(&server, "robodan");
    let (mut ada, _) = irc(&server, "ada");
    ask(&mut ada, "CAP REQ message-tags");
    ask(&mut ada, "JOIN #r");
    let letter = &tokens["BOT"];
    assert_eq!(
        ask(&mut bot, &format!("MODE robodan +{letter}")),
        [format!(":robodan!~robodan@127.0.0.1 MODE robodan +{letter}")]
    );
    assert_eq!(ask(&mut bot, "MODE robodan"), [format!("221 robodan +{letter}")]);
    ask(&mut bot, "JOIN #r");
    let joined = ada.line();
    assert!(
        joined.starts_with("@") && joined.contains("bot") && joined.contains(" JOIN #r"),
        "{joined}"
    );
    ask(&mut bot, "PRIVMSG #r :hello");
    let said = ada.line();
    let tags = said.split(' ').next().unwrap();
    assert!(tags.trim_start_matches('@').split(';').any(|tag| tag == "bot"), "{said}");
    let who = &ask(&mut ada, "WHO robodan")[0];
    assert_eq!(who.split(' ').nth(7).unwrap(), format!("H{letter}"));
    let whois = ask(&mut ada, "WHOIS robodan");
    assert!(whois.contains(&"335 ada robodan :is a bot".to_owned()), "{whois:?}");
}

#[test]
fn an_account_can_be_banned_by_the_announced_letter() {
    let server = server(&[]);
    let (mut ada, tokens) = irc(&server, "ada");
    let (mut bob, _) = irc(&server, "bob");
    let (prefix, letters) = tokens["EXTBAN"].split_once(',').unwrap();
    let letter = &tokens["ACCOUNTEXTBAN"];
    assert!(letters.contains(letter.as_str()));
    ask(&mut bob, "REGISTER * * sesame");
    ask(&mut bob, "NICK robert");
    ask(&mut ada, "JOIN #r");
    ask(&mut ada, &format!("MODE #r +b {prefix}{letter}:bob"));
    assert_eq!(numerics(&ask(&mut bob, "JOIN #r")), ["474"]);
    ask(&mut ada, &format!("MODE #r -b+b {prefix}{letter}:bob {prefix}{letter}:bo"));
    assert_eq!(numerics(&ask(&mut bob, "JOIN #r"))[1], "353", "another account");
}

#[test]
fn whois_tells_each_what_they_may_know() {
    let server = server(&[]);
    let (mut ada, _) = irc(&server, "ada");
    let (mut bob, _) = irc(&server, "bob");
    ask(&mut ada, "REGISTER * * sesame");
    ask(&mut ada, "JOIN #r");
    ask(&mut ada, "MODE ada +iw");
    ask(&mut ada, "AWAY :tea");
    let own = ask(&mut ada, "WHOIS ada");
    assert_eq!(numerics(&own), ["311", "319", "312", "330", "378", "379", "301", "317", "318"]);
    assert!(own.contains(&"379 ada ada :is using modes +iw".to_owned()), "{own:?}");
    let others = ask(&mut bob, "WHOIS ada");
    assert_eq!(numerics(&others), ["311", "312", "330", "301", "317", "318"]);
}

#[test]
fn registration_is_announced_without_what_it_cannot() {
    let server = server(&[]);
    let mut ada = Client::connect(server.address);
    let offered = ask(&mut ada, "CAP LS 302").join(" ");
    let offered: Vec<&str> = offered.split_whitespace().collect();
    // No value: no key of the specification is true here.
    assert!(offered.contains(&":draft/account-registration"), "{offered:?}");
    assert!(!offered.iter().any(|cap| cap.starts_with("chghost")), "nobody's host changes");
    // before-connect
    let early = ask(&mut ada, "NICK ada\r\nREGISTER * * sesame");
    assert!(early[0].starts_with("FAIL REGISTER COMPLETE_CONNECTION_REQUIRED "), "{early:?}");
    let early = ask(&mut ada, "VERIFY ada code");
    assert!(early[0].starts_with("FAIL VERIFY COMPLETE_CONNECTION_REQUIRED "), "{early:?}");
    ask(&mut ada, "USER ada 0 * :Ada\r\nCAP END");
    for (line, answer) in [
        // custom-account-name
        ("REGISTER lovelace * sesame", "FAIL REGISTER ACCOUNT_NAME_MUST_BE_NICK lovelace "),
        ("REGISTER * * short", "FAIL REGISTER WEAK_PASSWORD ada "),
        // email-required
        ("REGISTER * * sesame", "REGISTER SUCCESS ada "),
        ("REGISTER * * sesame", "FAIL REGISTER ALREADY_AUTHENTICATED ada "),
        ("VERIFY ada code", "FAIL VERIFY INVALID_CODE ada "),
    ] {
        let answers = ask(&mut ada, line);
        assert!(answers[0].starts_with(answer), "{line}: {answers:?}");
    }
    let (mut bob, _) = irc(&server, "bob");
    let taken = ask(&mut bob, "REGISTER ada * sesame");
    assert!(taken[0].starts_with("FAIL REGISTER ACCOUNT_NAME_MUST_BE_NICK ada "), "{taken:?}");
}
