//! How many messages a consumer is sent before it acknowledges some. Promise: what it holds in
//! memory is bounded in bytes, whatever the sizes of messages are. AMQP counts messages only.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

/// The most bytes of unacknowledged messages that one consumer holds. A service has a few.
const HELD_BYTES_MAX: usize = 16 * 1024 * 1024;
/// What a narrowed window is filled with at most, while messages stay as large as they were.
const NARROW_BYTES: usize = HELD_BYTES_MAX / 2;
/// So many messages show how large messages are now.
const MESSAGES_SEEN: usize = 200;
/// A window is opened anew when it can be so many times as wide: opening one gives back messages.
const WIDER: usize = 4;

/// The prefetch of each queue of a consumer, and what was seen since it was last changed.
#[derive(Debug)]
pub(crate) struct PrefetchWindow {
    queues: usize,
    full: u16,
    prefetch: u16,
    messages: usize,
    bytes: usize,
}

impl PrefetchWindow {
    /// The window of a consumer of so many queues: the full one, as long as messages are small.
    pub(crate) const fn new(queues: usize, full: u16) -> Self {
        Self { queues, full, prefetch: full, messages: 0, bytes: 0 }
    }

    pub(crate) const fn prefetch(&self) -> u16 {
        self.prefetch
    }

    /// Messages were acknowledged. Whether the window can be a good deal wider now, and is.
    pub(crate) fn acknowledged(&mut self, messages: usize, bytes: usize) -> bool {
        self.messages += messages;
        self.bytes += bytes;
        if self.prefetch == self.full || self.messages < MESSAGES_SEEN {
            return false;
        }
        let fitting = self.fitting(self.messages, self.bytes);
        (self.messages, self.bytes) = (0, 0);
        let wider = usize::from(fitting) >= usize::from(self.prefetch) * WIDER;
        if wider || fitting == self.full {
            self.prefetch = fitting;
            return true;
        }
        false
    }

    /// More bytes came than may be held: so many, in so many messages.
    pub(crate) fn narrow(&mut self, messages: usize, bytes: usize) {
        self.prefetch = self.fitting(messages, bytes).min(self.prefetch / 2).max(1);
        (self.messages, self.bytes) = (0, 0);
    }

    /// How many messages of this size fit.
    fn fitting(&self, messages: usize, bytes: usize) -> u16 {
        let size = (bytes / messages.max(1)).max(1);
        let fitting = NARROW_BYTES / size / self.queues.max(1);
        u16::try_from(fitting).unwrap_or(u16::MAX).clamp(1, self.full)
    }
}

/// What one channel's deliveries take in memory now. Counts as they come; after the first one that
/// is too much none is kept, and the channel has to be closed.
#[derive(Clone, Debug, Default)]
pub(crate) struct HeldMemory(Arc<Counts>);

/// What became of a delivery.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    Kept,
    /// It is the first that was too much: so much was held.
    TooMuch {
        messages: usize,
        bytes: usize,
    },
    /// One before it was too much, so that it cannot be kept either.
    Later,
}

#[derive(Debug, Default)]
struct Counts {
    messages: AtomicUsize,
    bytes: AtomicUsize,
    full: AtomicBool,
}

impl HeldMemory {
    /// Whether a delivery of this size may be kept. Called by one task, in the order of deliveries.
    pub(crate) fn take(&self, bytes: usize) -> Admission {
        let (messages, held) = self.now();
        if self.0.full.load(Ordering::Relaxed) {
            return Admission::Later;
        }
        if held > 0 && held + bytes > HELD_BYTES_MAX {
            self.0.full.store(true, Ordering::Relaxed);
            return Admission::TooMuch { messages, bytes: held };
        }
        self.0.messages.fetch_add(1, Ordering::Relaxed);
        self.0.bytes.fetch_add(bytes, Ordering::Relaxed);
        Admission::Kept
    }

    /// Deliveries are not in memory any more.
    pub(crate) fn give_up(&self, messages: usize, bytes: usize) {
        self.0.messages.fetch_sub(messages, Ordering::Relaxed);
        self.0.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// How many messages are held, and their bytes.
    fn now(&self) -> (usize, usize) {
        (self.0.messages.load(Ordering::Relaxed), self.0.bytes.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1024 * 1024;

    #[test]
    fn nothing_is_kept_after_the_first_that_is_too_much() {
        let held = HeldMemory::default();
        assert!((0..16).all(|_| held.take(MIB) == Admission::Kept));
        assert_eq!(held.take(1), Admission::TooMuch { messages: 16, bytes: 16 * MIB });
        held.give_up(16, 16 * MIB);
        assert_eq!(
            held.take(1),
            Admission::Later,
            "it must not come before the one that was too much"
        );
        assert_eq!(held.now(), (0, 0));
        assert_eq!(
            HeldMemory::default().take(20 * MIB),
            Admission::Kept,
            "one alone is always taken"
        );
    }

    #[test]
    fn a_window_narrows_to_what_fits_and_widens_when_messages_are_small_again() {
        let mut window = PrefetchWindow::new(4, 256);
        assert!(!window.acknowledged(1_000_000, 1_000_000 * 500), "it is full already");
        window.narrow(16, 16 * MIB);
        assert_eq!(window.prefetch(), 2, "of four queues, 8 MiB together");
        assert!(!window.acknowledged(150, 150 * MIB));
        assert!(!window.acknowledged(150, 150 * MIB), "as large as before");
        assert!(window.acknowledged(200, 200 * 10_000));
        assert_eq!(window.prefetch(), 209);
        assert!(window.acknowledged(200, 200 * 500));
        assert_eq!(window.prefetch(), 256);
    }

    #[test]
    fn a_window_never_closes() {
        let mut window = PrefetchWindow::new(1, 512);
        for _ in 0..20 {
            window.narrow(1, 100 * MIB);
        }
        assert_eq!(window.prefetch(), 1);
    }
}
