//! How many bytes of reports may be on their way to the database at once.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::error::StoreError;

/// Room is given out in KiB: a semaphore counts in 32 bits.
const UNIT: usize = 1024;

/// Bytes that reports may take between their bodies and the database.
#[derive(Debug)]
pub(super) struct Room {
    free: Arc<Semaphore>,
    /// In units.
    total: u32,
}

/// A part of the room, free again when this is dropped: once the report that it was taken for is
/// with the database, or refused.
#[derive(Debug)]
pub(crate) struct Place(OwnedSemaphorePermit);

impl Room {
    pub(super) fn new(bytes: usize) -> Self {
        let total = units(bytes).min(u32::try_from(Semaphore::MAX_PERMITS).unwrap_or(u32::MAX));
        Self { free: Arc::new(Semaphore::new(total as usize)), total }
    }

    /// Waits for room, in the order of asking. Whoever asks for more than there is waits for all
    /// of it, and goes alone.
    pub(super) async fn take(&self, bytes: usize) -> Result<Place, StoreError> {
        let wanted = units(bytes).min(self.total);
        let permit = self.free.clone().acquire_many_owned(wanted).await;
        permit.map(Place).map_err(|_| StoreError::Closed)
    }
}

impl Place {
    /// Gives back what is not needed after all.
    pub(crate) fn shrink(&mut self, bytes: usize) {
        let kept = units(bytes) as usize;
        drop(self.0.split(self.0.num_permits().saturating_sub(kept)));
    }
}

/// At least one.
fn units(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(UNIT).max(1)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use std::pin::{Pin, pin};
    use std::task::{Context, Poll, Waker};

    use super::{Place, Room};
    use crate::store::error::StoreError;

    fn poll(
        future: Pin<&mut impl Future<Output = Result<Place, StoreError>>>,
    ) -> Poll<Result<Place, StoreError>> {
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    fn taken(room: &Room, bytes: usize) -> Place {
        match poll(pin!(room.take(bytes))) {
            Poll::Ready(place) => place.unwrap(),
            Poll::Pending => panic!("there is room for {bytes} bytes"),
        }
    }

    #[test]
    fn what_is_taken_is_not_there_for_others() {
        let room = Room::new(10 * 1024);
        let mut first = taken(&room, 6 * 1024);
        let mut second = pin!(room.take(5 * 1024));
        assert!(poll(second.as_mut()).is_pending());
        // One byte more than 5 KiB takes 6 units.
        first.shrink(5 * 1024 + 1);
        assert!(poll(second.as_mut()).is_pending());
        first.shrink(5 * 1024);
        assert!(poll(second.as_mut()).is_ready());
    }

    #[test]
    fn a_place_that_is_left_is_free_again() {
        let room = Room::new(1024);
        let first = taken(&room, 1024);
        let mut second = pin!(room.take(1));
        assert!(poll(second.as_mut()).is_pending());
        drop(first);
        assert!(poll(second.as_mut()).is_ready());
    }

    #[test]
    fn what_is_larger_than_the_room_goes_alone() {
        for total in [0, 1, 4096, usize::MAX] {
            let room = Room::new(total);
            let mut whole = taken(&room, usize::MAX);
            assert!(poll(pin!(room.take(1))).is_pending());
            // It needed less.
            whole.shrink(1);
            assert_eq!(poll(pin!(room.take(1))).is_ready(), total > 1024);
        }
    }
}
