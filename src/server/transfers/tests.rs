//! Places for transfers: each origin has its share, and the slowest give way.

use super::*;

const HERE: Origin = Origin::V4([127, 0, 0, 1]);

fn there(number: u8) -> Origin {
    Origin::V4([192, 0, 2, number])
}

/// Begins a download of an origin, of at most eight, if there is a place.
fn begin(transfers: &mut Transfers, number: u8, origin: Origin, now: Instant) -> Place {
    let place = transfers.place(origin, 8, now);
    if let Place::Of(slowest) = place {
        transfers.end(slowest);
    }
    if place != Place::None {
        let (token, all) = (Token::fixed(number), (Vec::new(), 0..1));
        transfers.begin_download(token, origin, "a".into(), all, now);
    }
    place
}

#[test]
fn one_origin_does_not_take_all_the_places() {
    let (mut transfers, now) = (Transfers::default(), Instant::now());
    let begun = |place: &Place| *place == Place::Free;
    let of_one = (0..4).map(|number| begin(&mut transfers, number, there(1), now));
    assert_eq!(of_one.filter(begun).count(), 2);
    let here = (4..20).map(|number| begin(&mut transfers, number, HERE, now));
    assert_eq!(here.filter(begun).count(), 6);
    transfers.end(Token::fixed(0));
    assert_eq!(begin(&mut transfers, 20, there(1), now), Place::Free);
}

#[test]
fn when_all_places_are_taken_who_has_more_of_them_gives_way() {
    let (mut transfers, now) = (Transfers::default(), Instant::now());
    for number in 0..8 {
        assert_eq!(begin(&mut transfers, number, there(number % 4), now), Place::Free);
    }
    assert_eq!(begin(&mut transfers, 8, there(4), now), Place::Of(Token::fixed(0)));
    assert_eq!(begin(&mut transfers, 9, there(4), now), Place::None, "as many as others");
    assert_eq!(begin(&mut transfers, 10, there(0), now), Place::None);
}

#[test]
fn when_all_places_are_taken_the_slowest_gives_way_to_anyone() {
    let (mut transfers, mut now) = (Transfers::default(), Instant::now());
    for number in 0..8 {
        begin(&mut transfers, number, there(number), now);
        if let Some(Transfer::Out(it)) = transfers.all.get_mut(&Token::fixed(number).to_bits()) {
            it.progress.bytes = if number == 5 { 10 } else { 200_000 };
        }
    }
    assert_eq!(begin(&mut transfers, 8, there(8), now), Place::None);
    now += PACED;
    assert_eq!(begin(&mut transfers, 8, there(8), now), Place::Of(Token::fixed(5)));
    assert_eq!(begin(&mut transfers, 9, there(9), now), Place::None);
}

#[test]
fn a_download_gets_on_by_what_its_client_takes() {
    let (mut transfers, now, token) = (Transfers::default(), Instant::now(), Token::fixed(0));
    let all = (Vec::new(), 0..2 * PIECE);
    transfers.begin_download(token, there(0), "a".into(), all, now);
    for _ in 0..2 {
        transfers.read_on(|_| 0);
        let piece = Report::Read(token.to_bits(), vec![0; PIECE as usize]);
        assert!(matches!(transfers.news(piece), Some(News::Send(..))));
    }
    // All of it is read, and the client takes minutes for the rest.
    let mut unsent = PIECE as usize;
    transfers.read_on(|_| unsent);
    assert_eq!(transfers.is_slow(token, now), Some(false));
    for taken in [LEAST_PROGRESS as usize, LEAST_PROGRESS as usize - 1] {
        unsent -= taken;
        transfers.read_on(|_| unsent);
        let is_slow = taken < LEAST_PROGRESS as usize;
        assert_eq!(transfers.is_slow(token, now), Some(is_slow), "{taken} bytes");
    }
}

#[test]
fn an_upload_takes_a_place_of_the_address_that_sends_it() {
    let (mut transfers, now) = (Transfers::default(), Instant::now());
    // It got its token from elsewhere.
    let (name, origin) = (Name::new("ada"), there(1));
    let uploader = Uploader { name, account: None, origin, share: None, session: None };
    for number in 0..2 {
        assert_eq!(transfers.place(there(2), 8, now), Place::Free);
        let (name, room) = ("a".to_owned(), (1, FileLimit::Size));
        let token = (Token::fixed(number), there(2));
        transfers.begin_upload(token, name, uploader.clone(), room, now).unwrap();
    }
    assert_eq!(transfers.place(there(2), 8, now), Place::None);
    assert_eq!(transfers.place(there(1), 8, now), Place::Free);
}
