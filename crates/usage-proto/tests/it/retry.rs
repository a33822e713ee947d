//! W39 and W44: what may be sent again, and when.

use std::time::Duration;

use http::Response;
use usage_proto::{Api, BaseUrl, BuildError, Error, TransportError, retry_after};

fn wait(headers: &[(&'static str, &str)]) -> Option<u64> {
    let mut response = Response::builder().status(503);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    let response = response.body("").unwrap();
    let direct = retry_after(response.headers());
    let error = Api::new(BaseUrl::STAGING).parse_response(response).unwrap_err();
    assert_eq!(error.retry_after, direct);
    direct.map(|wait| wait.as_secs())
}

#[test]
fn w39_seconds() {
    for (text, seconds) in [
        ("0", Some(0)),
        ("120", Some(120)),
        (" 7 ", Some(7)),
        ("86400", Some(86_400)),
        ("86401", Some(86_400)),
        ("18446744073709551615", Some(86_400)),
        ("99999999999999999999999999", Some(86_400)),
        ("007", Some(7)),
        ("", None),
        ("-1", None),
        ("+1", None),
        ("1.5", None),
        ("1s", None),
        ("soon", None),
    ] {
        assert_eq!(wait(&[("retry-after", text)]), seconds, "{text:?}");
    }
    assert_eq!(wait(&[]), None);
}

#[test]
fn w39_a_date_is_measured_against_the_answers_own() {
    let date = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");
    for (text, seconds) in [
        ("Sun, 06 Nov 1994 08:50:07 GMT", Some(30)),
        ("Sunday, 06-Nov-94 08:50:07 GMT", Some(30)),
        ("Sun Nov  6 08:50:07 1994", Some(30)),
        ("Sun, 06 Nov 1994 08:49:36 GMT", Some(0)),
        ("Fri, 31 Dec 9999 23:59:59 GMT", Some(86_400)),
        ("Sun, 06 Nov 1994 08:50:07", None),
    ] {
        assert_eq!(wait(&[date, ("retry-after", text)]), seconds, "{text:?}");
        assert_eq!(wait(&[("retry-after", text)]), None, "{text:?} without a Date");
        assert_eq!(wait(&[("retry-after", text), ("date", "today")]), None, "{text:?}");
    }
}

#[test]
fn w44_statuses_are_read_by_their_class() {
    let api = Api::new(BaseUrl::STAGING);
    let is_retried = |status: u16| {
        let response = Response::builder().status(status).body("").unwrap();
        Error::from(api.parse_response(response).unwrap_err()).is_retryable()
    };
    let others: Vec<u16> = (100..=199)
        .chain(300..=499)
        .chain(600..=999)
        .filter(|status| is_retried(*status))
        .collect();
    assert_eq!(others, [408, 425, 429]);
    let final_ones: Vec<u16> = (500..=599).filter(|status| !is_retried(*status)).collect();
    assert_eq!(final_ones, [501, 505, 506, 510, 511]);
}

#[test]
fn w44_no_answer_may_be_retried_but_for_a_certificate() {
    for error in [
        TransportError::connect("refused"),
        TransportError::tls("end of file"),
        TransportError::timeout("60 s"),
        TransportError::interrupted("reset"),
        TransportError::protocol("HELLO"),
        TransportError::other("?"),
    ] {
        assert!(Error::from(error).is_retryable());
    }
    assert!(!TransportError::certificate("expired").is_retryable());
    assert!(!TransportError::tls("not built in").not_retryable().is_retryable());

    let error = Error::from(BuildError::from(usage_proto::Token::new("").unwrap_err()));
    assert!(!error.is_retryable());
    assert_eq!(error.retry_after(), None);
}

#[test]
fn w39_the_error_over_all_tells_the_wait() {
    let response = Response::builder().status(429).header("retry-after", "30").body("").unwrap();
    let error: Error = Api::new(BaseUrl::STAGING).parse_response(response).unwrap_err().into();
    assert_eq!(error.retry_after(), Some(Duration::from_secs(30)));
}

#[test]
fn w43_a_key_is_the_same_on_every_attempt() {
    let key = usage_proto::IdempotencyKey::from_bytes([0x0f; 16]);
    let mut request = http::Request::post("/").body(()).unwrap();
    key.apply(&mut request);
    key.apply(&mut request);
    let keys: Vec<_> = request.headers().get_all(usage_proto::IDEMPOTENCY_KEY).iter().collect();
    assert_eq!(keys, ["\"0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f\""]);
    assert_eq!(format!("\"{key}\""), keys[0].to_str().unwrap());
    assert_eq!(usage_proto::IdempotencyKey::from_bytes(key.to_bytes()), key);
}
