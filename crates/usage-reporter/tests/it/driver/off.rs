//! Off means off.

use usage_reporter::{Consent, SpawnError};

use super::host::TestHost;
use super::rig::{Rig, reporter};
use crate::support::answer;

#[test]
fn a_thread_that_is_not_given_says_why() {
    let error = SpawnError::Thread(std::io::Error::other("no more of them"));
    assert_eq!(error.to_string(), "the thread of usage reporting could not be started");
    assert_eq!(format!("{error:#}"), format!("{error}: no more of them"));
}

#[test]
fn a_driver_does_not_start_where_reporting_is_off() {
    for rig in Rig::both() {
        let (host, alive) = TestHost::new();
        let consent = Consent::resolve(None, "INFLUXDB_USAGE_REPORTING", |name| {
            (name == "DO_NOT_TRACK").then(|| "1".to_owned())
        });
        let spawned = rig.spawn(reporter(), |_| Ok(answer(200)), host.consent(consent));
        let error = spawned.err().unwrap();
        assert!(matches!(error, SpawnError::Off { .. }));
        assert_eq!(error.to_string(), "usage reporting is off: DO_NOT_TRACK is set");
        assert!(alive.is_over());
    }
}
