//! What the host has not been told yet, but for losses.

use std::collections::VecDeque;

use crate::event::Event;

/// It is short without a limit: each entry belongs to something that `poll` has put out, an attempt
/// or a question for numbers, and `poll` empties the queue before it puts out more.
#[derive(Debug, Clone, Default)]
pub(crate) struct EventQueue {
    events: VecDeque<Event>,
}

impl EventQueue {
    pub(crate) fn push(&mut self, event: Event) {
        self.events.push_back(event);
    }

    pub(crate) fn pop(&mut self) -> Option<Event> {
        let event = self.events.pop_front()?;
        if self.events.is_empty() {
            // An idle reporter holds no buffers.
            self.events = VecDeque::new();
        }
        Some(event)
    }
}
