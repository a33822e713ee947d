//! What an application has in its configuration.

use std::fmt::Debug;
use std::time::Duration;

use serde::de::value::Error as ValueError;
use serde::de::{Deserialize, DeserializeOwned, Deserializer, Visitor};
use serde::forward_to_deserialize_any;
use usage_proto::{BaseUrl, Deadlines, Token};

fn refused<T: DeserializeOwned + Debug>(json: &str) -> String {
    serde_json::from_str::<T>(json).unwrap_err().to_string()
}

#[test]
fn a_configuration_is_read_and_written_back() {
    #[derive(serde::Deserialize)]
    struct Telemetry {
        url: BaseUrl,
        token: Option<Token>,
        #[serde(default)]
        deadlines: Deadlines,
    }

    let text = r#"{"url": "https://usage.example.com/prefix/", "token": " token-goes-here\n"}"#;
    let telemetry: Telemetry = serde_json::from_str(text).unwrap();
    assert_eq!(telemetry.token.unwrap().expose(), "token-goes-here");
    assert_eq!(telemetry.deadlines, Deadlines::new());
    let url = serde_json::to_string(&telemetry.url).unwrap();
    assert_eq!(url, r#""https://usage.example.com/prefix""#);
    assert_eq!(serde_json::from_str::<BaseUrl>(&url).unwrap(), telemetry.url);
}

#[test]
fn w7_a_permission_is_not_written() {
    let plain = BaseUrl::new("http://usage.example.com").unwrap();
    let allowed = plain.clone().allow_plaintext_token();
    let text = serde_json::to_string(&allowed).unwrap();
    assert_eq!(serde_json::from_str::<BaseUrl>(&text).unwrap(), plain);
}

#[test]
fn deadlines_are_seconds_or_texts() {
    for (json, total, connect) in [
        ("{}", 60_000, 30_000),
        (r#"{"total": 10}"#, 10_000, 30_000),
        (r#"{"total": 0.25, "connect": "100ms"}"#, 250, 100),
        (r#"{"total": "1.5m", "connect": "10 s"}"#, 90_000, 10_000),
    ] {
        let read: Deadlines = serde_json::from_str(json).unwrap();
        let expected = Deadlines::new()
            .total(Duration::from_millis(total))
            .connect(Duration::from_millis(connect));
        assert_eq!(read, expected, "{json}");
    }
    for (json, because) in [
        (r#"{"total": -1}"#, "`-1.0`"),
        (r#"{"total": 1e300}"#, "`1e+300`"),
        (r#"{"total": "10"}"#, "\"10\""),
        (r#"{"total": null}"#, "another value"),
        (r#"{"totl": 1}"#, "unknown field `totl`"),
    ] {
        let error = refused::<Deadlines>(json);
        assert!(error.contains(because), "{json}: {error}");
        let says_how = error.contains("a number of seconds, or a text such as `10s`");
        assert!(says_how || json.contains("totl"), "{json}: {error}");
    }
}

#[test]
fn deadlines_are_written_so_that_they_are_read_back() {
    for (total, text) in [
        (Duration::from_secs(60), "60s"),
        (Duration::from_millis(1500), "1500ms"),
        (Duration::from_nanos(1), "1ns"),
        (Duration::ZERO, "0s"),
        (Duration::MAX, "18446744073709551615999999999ns"),
    ] {
        let deadlines = Deadlines::new().total(total).connect(total);
        let json = serde_json::to_string(&deadlines).unwrap();
        assert_eq!(json, format!(r#"{{"total":"{text}","connect":"{text}"}}"#));
        assert_eq!(serde_json::from_str::<Deadlines>(&json).unwrap(), deadlines);
    }
}

#[test]
fn w5_w6_what_is_refused_is_refused_without_its_secret() {
    let error = refused::<BaseUrl>(r#""https://user:secret-4711@usage.example.com""#);
    assert!(error.contains("user information") && !error.contains("4711"), "{error}");
    for json in ["4711", "-4711", "4711.5", "true", "null", r#"["4711"]"#, r#"{"4711":"4711"}"#] {
        let error = refused::<Token>(json);
        assert!(error.contains("the text of a token") && !error.contains("4711"), "{error}");
    }
    for json in [r#""4711\u00fc""#, r#""  ""#] {
        let error = refused::<Token>(json);
        assert!(!error.contains("4711"), "{error}");
    }
}

/// A format that does not say what stands where, as binary ones.
struct Binary(&'static str);

impl<'de> Deserializer<'de> for Binary {
    type Error = ValueError;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, ValueError> {
        Err(serde::de::Error::custom("it is not known what stands here"))
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        visitor.visit_str(self.0)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        visitor.visit_str(self.0)
    }

    fn is_human_readable(&self) -> bool {
        false
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

#[test]
fn binary_formats_are_read_too() {
    assert_eq!(Token::deserialize(Binary("abc")).unwrap().expose(), "abc");
    assert_eq!(BaseUrl::deserialize(Binary("http://[::1]")).unwrap().as_str(), "http://[::1]");
}
