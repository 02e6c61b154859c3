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
