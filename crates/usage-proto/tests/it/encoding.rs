//! W9 and W15: what the encoder refuses.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};

use serde::{Serialize, Serializer};
use usage_proto::{Api, BaseUrl, BuildError, Saveable, Stats, StatsData, Usage, UsageData, Value};

/// Any serializable value as a payload.
#[derive(Serialize)]
struct Own<T>(T);

impl<T: Serialize> Saveable for Own<T> {
    fn segments(&self) -> impl IntoIterator<Item: AsRef<str>> {
        ["own"]
    }
}

fn api() -> Api {
    Api::new(BaseUrl::STAGING)
}

fn blamed<P: Saveable>(payload: &P) -> String {
    let error = api().build_request(payload).unwrap_err();
    assert!(matches!(error, BuildError::NotFinite { .. }), "{error:?}");
    error.field().unwrap().to_owned()
}

#[test]
fn w9_a_number_that_is_not_finite_is_refused_with_its_path() {
    for x in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let usage = Usage::new("p")
            .data(UsageData::new())
            .data(UsageData::new().value("a", 1).value("uptime", x).value("z", Value::Null));
        assert_eq!(blamed(&usage), "[1].values.uptime");
    }
    let stats = Stats::new("p").data(StatsData::new("n").value("v", vec![1.0, 2.0, f64::NAN]));
    assert_eq!(blamed(&stats), "stats[0].values.v[2]");
    let odd = Usage::new("p").data(UsageData::new().value("a.b\n", f64::NAN));
    assert_eq!(blamed(&odd), r#"[0].values["a.b\n"]"#);
    let narrow = Usage::new("p").data(UsageData::new().value("v", f32::NEG_INFINITY));
    assert_eq!(blamed(&narrow), "[0].values.v");
}

#[test]
fn w9_holds_in_the_applications_own_types() {
    #[derive(Serialize)]
    struct Engine {
        rates: (f32, f64),
        by_shard: BTreeMap<u32, Option<f64>>,
        state: State,
    }
    #[derive(Serialize)]
    enum State {
        Idle,
        Busy(f64),
        Load(f64, f64),
        Queue { depth: f64 },
    }
    #[derive(Serialize)]
    struct Wrapped(f64);

    let engine = |rates, shard, state| {
        Own(Engine { rates, by_shard: BTreeMap::from([(7, None), (8, Some(shard))]), state })
    };
    let nan = f64::NAN;
    assert_eq!(blamed(&engine((f32::NAN, 1.0), 1.0, State::Idle)), "rates[0]");
    assert_eq!(blamed(&engine((1.0, nan), 1.0, State::Idle)), "rates[1]");
    assert_eq!(blamed(&engine((1.0, 1.0), nan, State::Idle)), "by_shard.8");
    assert_eq!(blamed(&engine((1.0, 1.0), 1.0, State::Busy(nan))), "state.Busy");
    assert_eq!(blamed(&engine((1.0, 1.0), 1.0, State::Load(1.0, nan))), "state.Load[1]");
    assert_eq!(blamed(&engine((1.0, 1.0), 1.0, State::Queue { depth: nan })), "state.Queue.depth");
    assert_eq!(blamed(&Own(Wrapped(nan))), "");
    assert_eq!(blamed(&Own([Some(nan)])), "[0]");
}

#[test]
fn w9_null_that_was_meant_stays_null() {
    let usage = Usage::new("p").data(UsageData::new().value("v", Value::Null).value("w", 0.5));
    let request = api().build_request(&usage).unwrap();
    assert_eq!(request.body(), r#"[{"tags":{},"values":{"v":null,"w":0.5}}]"#);

    let own = Own((None::<u8>, (), serde_json::json!({"a": null}), 'c', [0_u8; 2], i128::MIN));
    let request = api().build_request(&own).unwrap();
    let text = r#"[null,null,{"a":null},"c",[0,0],-170141183460469231731687303715884105728]"#;
    assert_eq!(request.body(), text);

    let raw = serde_json::value::RawValue::from_string(r#"{"b": 1.0,  "a":null}"#.into()).unwrap();
    let request = api().build_request(&Own((raw, ()))).unwrap();
    assert_eq!(request.body(), r#"[{"b": 1.0,  "a":null},null]"#);
}

#[test]
fn w9_a_gauge_is_read_once() {
    /// NaN the first time it is read, and a number from then on.
    struct Gauge(AtomicU32);

    impl Serialize for Gauge {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let first = self.0.fetch_add(1, Ordering::Relaxed) == 0;
            serializer.serialize_f64(if first { f64::NAN } else { 1.5 })
        }
    }

    let gauge = Own([Gauge(AtomicU32::new(0))]);
    assert_eq!(blamed(&gauge), "[0]");
    let request = api().build_request(&gauge).unwrap();
    assert_eq!(request.body(), "[1.5]");
}

#[test]
fn w9_a_key_that_is_not_finite_is_refused_too() {
    struct Odd;

    impl Serialize for Odd {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            use serde::ser::SerializeMap;
            let mut map = serializer.serialize_map(None)?;
            map.serialize_entry(&1.5, &1)?;
            map.serialize_entry(&f64::NAN, &1)?;
            map.end()
        }
    }

    assert_eq!(blamed(&Own([Odd])), "[0]");
}

#[test]
fn a_failing_implementation_is_quoted() {
    struct Failing;

    impl Serialize for Failing {
        fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("the gauge is gone"))
        }
    }

    let error = api().build_request(&Own((None::<u8>, Failing))).unwrap_err();
    assert_eq!(error.to_string(), "the payload could not be encoded as JSON: the gauge is gone");
    assert_eq!(error.field(), None);
}

#[test]
fn w15_a_body_above_the_limit_is_refused_and_one_at_the_limit_is_not() {
    let payload = |length: usize| {
        Usage::new("p").data(UsageData::new().value("v", "x".repeat(length)).value("n", None::<u8>))
    };
    let frame = api().build_request(&payload(0)).unwrap().body().len();
    for limit in [frame, 100, 1023, 1024, 1025, 5000, 1 << 20] {
        let api = api().with_request_limit(limit);
        let fits = api.build_request(&payload(limit - frame)).unwrap();
        assert_eq!(fits.body().len(), limit);

        let error = api.build_request(&payload(limit - frame + 1)).unwrap_err();
        assert!(matches!(error, BuildError::TooLarge { limit: l, .. } if l == limit), "{error:?}");
    }
    assert!(api().with_request_limit(0).build_request(&payload(0)).is_err());
    assert_eq!(api().request_limit(), 1 << 20);
}
