//! The laws, over random lives.

use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, Strategy, any, proptest};
use proptest::test_runner::FileFailurePersistence;

use testkit::oracle::reporter::{Case, check};

proptest! {
    #![proptest_config(config())]

    /// Laws 1 to 12.
    #[test]
    fn the_laws_hold(case in cases()) {
        check(&case);
    }
}

/// Up to 80 operations.
fn cases() -> impl Strategy<Value = Case> {
    vec(any::<u8>(), 0..164).prop_map(|bytes| Case::from_bytes(&bytes))
}

fn config() -> ProptestConfig {
    let persistence = FileFailurePersistence::WithSource("regressions");
    ProptestConfig {
        cases: how_many(),
        failure_persistence: Some(Box::new(persistence)),
        ..ProptestConfig::default()
    }
}

/// A few thousand; as many as `LAWS_CASES` says for a long run.
#[expect(clippy::disallowed_methods, reason = "a test is told its size by the environment")]
fn how_many() -> u32 {
    std::env::var("LAWS_CASES").map_or(2_500, |text| text.parse().expect("LAWS_CASES is a number"))
}
