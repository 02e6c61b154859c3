//! Values found by token: a slab of slots, each with a generation.
//!
//! Invariant: a [`Token`] finds exactly the value it was given for, or nothing. A slot that is
//! freed raises its generation. Without that, a report that was already fetched when its connection
//! closed would reach the next tenant of the slot, and the bug would show once in a thousand hours.
//!
//! It does not iterate by age and does not shrink. A slot is about the size of its value, and the
//! descriptor limit bounds the number of connections ever held.

/// Bits of a token that name the slot: a million values, far above any descriptor limit in use.
const SLOT_BITS: u32 = 20;

/// Bits of the generation: a slot is reused 268 million times before a token repeats.
const GENERATION_BITS: u32 = 28;

const SLOTS: u64 = 1 << SLOT_BITS;
const GENERATIONS: u32 = 1 << GENERATION_BITS;

/// Slots that no slab uses: their tokens are those of [`Token::fixed`].
const FIXED: u64 = 256;

/// Names one value in a [`Slab`]: the slot in the low 20 bits, its generation in the next 28.
///
/// It fits the 64 bits that `epoll_data` and `udata` carry for us, so a poller needs no table, and
/// leaves the upper 16 to a program that has to name one of several machines.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Token(u64);

impl Token {
    /// A token for a descriptor that lives outside a slab (listener, waker, signals). Such tokens
    /// never collide with those of a slab.
    pub const fn fixed(name: u8) -> Token {
        Token(SLOTS - FIXED + name as u64)
    }

    const fn new(slot: u32, generation: u32) -> Token {
        Token((generation as u64) << SLOT_BITS | slot as u64)
    }

    /// Its bits, for a poller's user data or as a session's number; the upper 16 are zero.
    pub const fn to_bits(self) -> u64 {
        self.0
    }

    /// The token whose [`to_bits`](Token::to_bits) gave `bits`.
    pub const fn from_bits(bits: u64) -> Token {
        Token(bits)
    }

    /// The slot's number. Two live values of one slab never share it.
    pub const fn slot(self) -> usize {
        (self.0 % SLOTS) as usize
    }

    const fn generation(self) -> u64 {
        self.0 >> SLOT_BITS
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.slot(), self.generation())
    }
}

struct Slot<T> {
    generation: u32,
    value: Option<T>,
}

impl<T> Slot<T> {
    #[inline]
    fn is_of(&self, token: Token) -> bool {
        u64::from(self.generation) == token.generation()
    }
}

/// Values that are found by [`Token`] in constant time.
///
/// ```
/// use chatloop_reactor::Slab;
/// let mut slab = Slab::new();
/// let old = slab.insert("first");
/// slab.remove(old);
/// let new = slab.insert("second");
/// assert_eq!(old.slot(), new.slot());
/// assert_eq!(slab.get(old), None); // the stale token finds no one
/// assert_eq!(slab.get(new), Some(&"second"));
/// ```
pub struct Slab<T> {
    slots: Vec<Slot<T>>,
    free: Vec<u32>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Slab { slots: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slab<T> {
    /// An empty slab; it allocates at the first [`insert`](Slab::insert).
    pub fn new() -> Slab<T> {
        Slab::default()
    }

    /// How many values it holds.
    pub fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Whether it is empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Keeps `value` and names it.
    ///
    /// # Panics
    /// If a million values are held; a process cannot have as many descriptors.
    pub fn insert(&mut self, value: T) -> Token {
        self.insert_with(|_| value)
    }

    /// Keeps what `make` returns when it is given the token: for a value that knows its own name.
    /// The slot freed last is used first: it is warm in the cache.
    ///
    /// # Panics
    /// If a million values are held; a process cannot have as many descriptors.
    pub fn insert_with(&mut self, make: impl FnOnce(Token) -> T) -> Token {
        if let Some(slot) = self.free.last().copied() {
            let entry = &mut self.slots[slot as usize];
            let token = Token::new(slot, entry.generation);
            entry.value = Some(make(token));
            self.free.pop(); // not before `make` has returned: it may panic
            return token;
        }
        assert!((self.slots.len() as u64) < SLOTS - FIXED, "a slab holds at most a million values");
        let token = Token::new(self.slots.len() as u32, 0);
        self.slots.push(Slot { generation: 0, value: Some(make(token)) });
        token
    }

    /// The value of `token`, or `None` if it is gone.
    pub fn get(&self, token: Token) -> Option<&T> {
        self.slots.get(token.slot()).filter(|slot| slot.is_of(token))?.value.as_ref()
    }

    /// The value of `token` to change, or `None` if it is gone.
    pub fn get_mut(&mut self, token: Token) -> Option<&mut T> {
        self.slots.get_mut(token.slot()).filter(|slot| slot.is_of(token))?.value.as_mut()
    }

    /// Takes the value of `token` out; every copy of the token is stale from here on.
    pub fn remove(&mut self, token: Token) -> Option<T> {
        let slot = self.slots.get_mut(token.slot()).filter(|slot| slot.is_of(token))?;
        let value = slot.value.take()?;
        slot.generation = (slot.generation + 1) % GENERATIONS;
        self.free.push(token.slot() as u32);
        Some(value)
    }

    /// Every live value with its token, in slot order.
    pub fn iter(&self) -> impl Iterator<Item = (Token, &T)> {
        self.slots.iter().enumerate().filter_map(|(number, slot)| {
            let value = slot.value.as_ref()?;
            Some((Token::new(number as u32, slot.generation), value))
        })
    }

    /// Every live value to change, with its token, in slot order.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (Token, &mut T)> {
        self.slots.iter_mut().enumerate().filter_map(|(number, slot)| {
            let value = slot.value.as_mut()?;
            Some((Token::new(number as u32, slot.generation), value))
        })
    }

    /// Removes, in slot order, the values for which `keep` returns false. This is how a loop takes
    /// out the connections that ended during a turn: in one place, when no one iterates over them.
    pub fn retain(&mut self, mut keep: impl FnMut(Token, &mut T) -> bool) {
        for slot in 0..self.slots.len() {
            let entry = &mut self.slots[slot];
            let token = Token::new(slot as u32, entry.generation);
            if entry.value.as_mut().is_some_and(|value| !keep(token, value)) {
                self.remove(token);
            }
        }
    }

    /// Every live token, in slot order: for a walk that changes the slab as it goes.
    pub fn tokens(&self) -> Vec<Token> {
        self.iter().map(|(token, _)| token).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_removed_token_stays_stale() {
        let mut slab = Slab::new();
        let first = slab.insert(1);
        assert_eq!(slab.remove(first), Some(1));
        assert_eq!(slab.remove(first), None);
        let second = slab.insert(2);
        assert_ne!(first, second);
        assert_eq!(slab.get(first), None);
        assert_eq!(slab.get_mut(second), Some(&mut 2));
        assert_eq!(slab.len(), 1);
    }

    #[test]
    fn fixed_tokens_find_nothing() {
        let mut slab = Slab::new();
        slab.insert(1);
        for name in 0..=255 {
            assert_eq!(slab.get(Token::fixed(name)), None);
        }
    }

    #[test]
    fn a_value_can_know_its_own_token() {
        let mut slab = Slab::new();
        let first = slab.insert_with(|token| token);
        assert_eq!(slab.remove(first), Some(first));
        let second = slab.insert_with(|token| token);
        assert_eq!((slab.get(second), slab.get(first)), (Some(&second), None));
    }

    #[test]
    fn a_maker_that_panics_loses_no_slot() {
        let mut slab = Slab::new();
        let first = slab.insert(1);
        slab.remove(first);
        let panicked = std::panic::AssertUnwindSafe(|| slab.insert_with(|_| panic!("on purpose")));
        assert!(std::panic::catch_unwind(panicked).is_err());
        assert!(slab.is_empty());
        assert_eq!(slab.insert(2).slot(), first.slot());
    }

    #[test]
    fn retaining_visits_everyone_once_and_frees_the_others() {
        let mut slab = Slab::new();
        let tokens: Vec<Token> = (0..5).map(|n| slab.insert(n)).collect();
        slab.iter_mut().for_each(|(_, value)| *value *= 10);
        let mut seen = Vec::new();
        slab.retain(|token, value| {
            seen.push((token, *value));
            *value % 20 == 0
        });
        let expected: Vec<(Token, i32)> = tokens.iter().copied().zip([0, 10, 20, 30, 40]).collect();
        assert_eq!(seen, expected);
        assert_eq!((slab.len(), slab.get(tokens[1]), slab.get(tokens[2])), (3, None, Some(&20)));
        assert!(!tokens.contains(&slab.insert(5)), "a freed slot has a new generation");
    }

    #[test]
    fn walking_gives_every_live_value_once() {
        let mut slab = Slab::new();
        let tokens: Vec<Token> = (0..5).map(|n| slab.insert(n)).collect();
        slab.remove(tokens[2]);
        let seen: Vec<i32> = slab.iter().map(|(_, value)| *value).collect();
        assert_eq!(seen, [0, 1, 3, 4]);
        assert_eq!(slab.tokens().len(), 4);
    }
}
