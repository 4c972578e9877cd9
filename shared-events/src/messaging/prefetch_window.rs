//! The prefetch of a consumer. Promise: the memory that deliveries take is bounded in bytes, for
//! messages of any size; AMQP itself counts messages only.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

/// The most bytes of unacknowledged messages that one consumer holds. A service has a few.
const HELD_BYTES_MAX: usize = 16 * 1024 * 1024;
/// The most bytes that a narrowed window admits while message sizes stay as they are.
const NARROW_BYTES: usize = HELD_BYTES_MAX / 2;
/// So many messages are a sample of the current message sizes.
const SAMPLE_MESSAGES: usize = 200;
/// A window opens again when it can be so many times wider: opening returns held messages.
const WIDER: usize = 4;

/// The prefetch of each queue of a consumer, and the sizes that were seen since its last change.
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

    /// Counts acknowledged messages. Returns whether the window has become a good deal wider.
    pub(crate) fn acknowledged(&mut self, messages: usize, bytes: usize) -> bool {
        self.messages += messages;
        self.bytes += bytes;
        if self.prefetch == self.full || self.messages < SAMPLE_MESSAGES {
            return false;
        }
        let fitting = self.fitting(self.messages, self.bytes);
        (self.messages, self.bytes) = (0, 0);
        let is_wider = usize::from(fitting) >= usize::from(self.prefetch) * WIDER;
        if is_wider || fitting == self.full {
            self.prefetch = fitting;
            return true;
        }
        false
    }

    /// Narrows the window after an overflow with so many messages and bytes held.
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

/// The memory that one channel's deliveries take now. After the first overflow no delivery is
/// admitted, and the channel has to be closed.
#[derive(Clone, Debug, Default)]
pub(crate) struct HeldMemory(Arc<HeldCounts>);

/// Whether a delivery is admitted.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    Admitted,
    /// The delivery is the first that is too much; messages and bytes say how much is held.
    Overflow {
        messages: usize,
        bytes: usize,
    },
    /// An earlier delivery was too much, and no later one may overtake it.
    AfterOverflow,
}

#[derive(Debug, Default)]
struct HeldCounts {
    messages: AtomicUsize,
    bytes: AtomicUsize,
    is_full: AtomicBool,
}

impl HeldMemory {
    /// Admits a delivery of this size or not. Called by one task, in the order of deliveries.
    pub(crate) fn admit(&self, bytes: usize) -> Admission {
        let (messages, held) = self.counts();
        if self.0.is_full.load(Ordering::Relaxed) {
            return Admission::AfterOverflow;
        }
        if held > 0 && held + bytes > HELD_BYTES_MAX {
            self.0.is_full.store(true, Ordering::Relaxed);
            return Admission::Overflow { messages, bytes: held };
        }
        self.0.messages.fetch_add(1, Ordering::Relaxed);
        self.0.bytes.fetch_add(bytes, Ordering::Relaxed);
        Admission::Admitted
    }

    /// Counts deliveries that have left the memory.
    pub(crate) fn release(&self, messages: usize, bytes: usize) {
        self.0.messages.fetch_sub(messages, Ordering::Relaxed);
        self.0.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// The messages that are held, and their bytes.
    fn counts(&self) -> (usize, usize) {
        (self.0.messages.load(Ordering::Relaxed), self.0.bytes.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1024 * 1024;

    #[test]
    fn nothing_is_admitted_after_an_overflow() {
        let held = HeldMemory::default();
        assert!((0..16).all(|_| held.admit(MIB) == Admission::Admitted));
        assert_eq!(held.admit(1), Admission::Overflow { messages: 16, bytes: 16 * MIB });
        held.release(16, 16 * MIB);
        assert_eq!(
            held.admit(1),
            Admission::AfterOverflow,
            "no delivery overtakes the one that was too much"
        );
        assert_eq!(held.counts(), (0, 0));
        assert_eq!(
            HeldMemory::default().admit(20 * MIB),
            Admission::Admitted,
            "one alone is always admitted"
        );
    }

    #[test]
    fn a_window_narrows_to_what_fits_and_widens_when_messages_are_small_again() {
        let mut window = PrefetchWindow::new(4, 256);
        assert!(!window.acknowledged(1_000_000, 1_000_000 * 500), "the window is full already");
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
