//! Off means off: no file, no thread, no request; and the handle says which rule decided.

use std::time::Duration;

use usage_client::{ConsentRule, Stats, UsageData};

use crate::{api, product};

#[test]
fn the_setting_switches_it_off_and_nothing_is_made() {
    let there = api();
    let folder = tempfile::tempdir().unwrap();
    let reporting = product(&there, folder.path())
        .setting(Some(false))
        .start(|| -> UsageData { panic!("nobody is asked") })
        .unwrap();
    assert_eq!(reporting.consent().rule(), &ConsentRule::Setting);
    assert_eq!(reporting.status().phase, "off");
    assert_eq!(
        reporting.status().consent,
        "usage reporting is off: the application's setting says so"
    );
    reporting.push_stats(&Stats::new("tinykv")).unwrap();
    reporting.report_now();
    reporting.register().unwrap();
    assert!(reporting.preview().unwrap().is_none() && reporting.registration().is_none());
    reporting.stop(Duration::ZERO);
    assert!(folder.path().read_dir().unwrap().next().is_none(), "no file");
    assert!(there.store().servers().read_all().unwrap().is_empty());
}
