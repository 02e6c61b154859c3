//! Where do connections live, and how does an event find one? A slab of slots, each with a
//! generation.
//!
//! Invariant: a [`Token`] finds exactly the value it was given for, or nothing. A slot that is
//! freed raises its generation, so an event that was already in the poller's hands when its
//! connection died cannot reach the next tenant of the slot.
//!
//! Absent: iteration by age, shrinking. A slot is about the size of its value, and the highest
//! number of connections ever held is bounded by the descriptor limit.

/// Names one value in a [`Slab`]: the slot in the low 32 bits, its generation in the high 32.
///
/// It fits the 64 bits that `epoll_data` and `udata` carry for us, so a poller needs no table.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Token(u64);

impl Token {
    /// A token for a descriptor that lives outside a slab (listener, waker, signals).
    /// `name` counts from 0; such tokens never collide with those of a slab, which are below
    /// slot `u32::MAX - 255`.
    pub const fn fixed(name: u8) -> Token {
        Token((u32::MAX - 255 + name as u32) as u64)
    }

    const fn new(slot: u32, generation: u32) -> Token {
        Token((generation as u64) << 32 | slot as u64)
    }

    /// The 64 bits, for a poller's user data or as a session's number.
    pub const fn to_bits(self) -> u64 {
        self.0
    }

    /// The token whose [`to_bits`](Token::to_bits) gave `bits`.
    pub const fn from_bits(bits: u64) -> Token {
        Token(bits)
    }

    /// The slot's number. Two live values of one slab never share it.
    pub const fn slot(self) -> usize {
        (self.0 & u32::MAX as u64) as usize
    }

    const fn generation(self) -> u32 {
        (self.0 >> 32) as u32
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

/// Values that are found by [`Token`] in constant time.
///
/// ```
/// use chatloop::reactor::Slab;
/// let mut slab = Slab::new();
/// let old = slab.insert("first");
/// slab.remove(old);
/// let new = slab.insert("second");
/// assert_eq!(old.slot(), new.slot());
/// assert_eq!(slab.get(old), None); // the stale token finds nobody
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

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Keeps `value` and names it. The slot freed last is used first: it is warm in the cache.
    pub fn insert(&mut self, value: T) -> Token {
        if let Some(slot) = self.free.pop() {
            let entry = &mut self.slots[slot as usize];
            entry.value = Some(value);
            return Token::new(slot, entry.generation);
        }
        let slot = self.slots.len() as u32;
        self.slots.push(Slot { generation: 0, value: Some(value) });
        Token::new(slot, 0)
    }

    /// The value of `token`, or `None` if it is gone.
    pub fn get(&self, token: Token) -> Option<&T> {
        let slot = self.slots.get(token.slot())?;
        if slot.generation != token.generation() {
            return None;
        }
        slot.value.as_ref()
    }

    /// The value of `token` to change, or `None` if it is gone.
    pub fn get_mut(&mut self, token: Token) -> Option<&mut T> {
        let slot = self.slots.get_mut(token.slot())?;
        if slot.generation != token.generation() {
            return None;
        }
        slot.value.as_mut()
    }

    /// Takes the value of `token` out; every copy of the token is stale from here on.
    pub fn remove(&mut self, token: Token) -> Option<T> {
        let slot = self.slots.get_mut(token.slot())?;
        if slot.generation != token.generation() {
            return None;
        }
        let value = slot.value.take()?;
        slot.generation = slot.generation.wrapping_add(1);
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

    /// Every live token, in slot order: for a walk that changes the slab as it goes.
    pub fn tokens(&self) -> Vec<Token> {
        self.iter().map(|(token, _)| token).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_removed_token_is_stale_for_ever() {
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
    fn walking_gives_every_live_value_once() {
        let mut slab = Slab::new();
        let tokens: Vec<Token> = (0..5).map(|n| slab.insert(n)).collect();
        slab.remove(tokens[2]);
        let seen: Vec<i32> = slab.iter().map(|(_, value)| *value).collect();
        assert_eq!(seen, [0, 1, 3, 4]);
        assert_eq!(slab.tokens().len(), 4);
    }
}
