//! The memory behind what peers have sent and the program has not used up, and behind what a layer has
//! encrypted and not sent, counted over all owners.
//!
//! One owner is bounded; thousands of them are not. So each owner of such bytes has a [`Held`], and the
//! sum is there for who has a budget. It cannot go wrong: what an owner held goes when the owner does, and
//! no owner leaves its thread.

use std::cell::Cell;
use std::marker::PhantomData;

thread_local! {
    static ALL: Cell<usize> = const { Cell::new(0) };
}

/// What one owner holds.
///
/// ```
/// use chatloop_reactor::Held;
/// let mut held = Held::default();
/// held.set(1000);
/// held.set(300);
/// assert_eq!((held.bytes(), Held::all()), (300, 300));
/// drop(held);
/// assert_eq!(Held::all(), 0);
/// ```
#[derive(Default, Debug)]
pub struct Held(u32, PhantomData<*const ()>);

impl Held {
    /// It holds so many bytes now.
    #[inline]
    pub fn set(&mut self, bytes: usize) {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        if bytes != self.0 {
            let _ = ALL.try_with(|all| all.set(all.get() + bytes as usize - self.bytes()));
            self.0 = bytes;
        }
    }

    /// How many.
    #[inline]
    pub fn bytes(&self) -> usize {
        self.0 as usize
    }

    /// What all owners of this thread hold.
    #[inline]
    pub fn all() -> usize {
        ALL.get()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.set(0);
    }
}
