//! W41: the deadlines that adapters keep.

use std::time::Duration;

use usage_proto::Deadlines;

#[test]
fn w41_sixty_seconds_in_all_and_thirty_to_connect() {
    let seconds = Duration::from_secs;
    assert_eq!((Deadlines::new().total, Deadlines::new().connect), (seconds(60), seconds(30)));
    let own = Deadlines::default().total(seconds(5)).connect(seconds(2));
    assert_eq!((own.total, own.connect), (seconds(5), seconds(2)));
}
