//! A request costs few allocations: at most five, and the growth of the one body buffer.

use allocation_counter::{AllocationInfo, measure};
use usage_proto::{Api, BaseUrl, Server, Token, Usage, UsageData};

fn api() -> Api {
    let api = Api::new(BaseUrl::PRODUCTION).with_application("influxdb/1.8.10").unwrap();
    api.with_token(Token::new("token-goes-here").unwrap()).unwrap()
}

/// A buffer that moves when it grows is counted as a new allocation by the counter's book.
const GROWTH: u64 = 6;

#[test]
fn a_small_request_takes_at_most_five() {
    let api = api();
    let server = Server::new().cluster_id("c").server_id("s").host("h").product("p").version("1");
    let mut request = None;
    // The first build warms what the process sets up once.
    drop(api.request(&server));
    let info = measure(|| request = Some(api.request(&server)));
    assert!(request.unwrap().is_ok());
    // The one growth is the shrinking of the buffer to its final size.
    assert!(info.count_total <= 5 + 1, "{info:?}");
}

#[test]
fn a_body_of_a_mebibyte_grows_its_buffer_at_most_six_times() {
    let api = api();
    let built = |bytes: usize| -> (usize, AllocationInfo) {
        let usage = Usage::new("p").data(UsageData::new().value("v", "x".repeat(bytes)));
        let mut request = None;
        let info = measure(|| request = Some(api.request(&usage)));
        (request.unwrap().unwrap().body().len(), info)
    };
    for bytes in [0, 900, 1_000, 4_000, 70_000, 1_000_000, (1 << 20) - 31] {
        let (length, info) = built(bytes);
        assert!(length >= bytes);
        assert!(info.count_total <= 5 + GROWTH, "{bytes}: {info:?}");
    }
    // Many small writes instead of one large one: every step of the growth is taken.
    let many: UsageData =
        (0..40_000).fold(UsageData::new(), |data, n| data.value(n.to_string(), n));
    let usage = Usage::new("p").data(many);
    let mut request = None;
    let info = measure(|| request = Some(api.request(&usage)));
    let length = request.unwrap().unwrap().body().len();
    assert!(length > 500_000, "{length}");
    assert!(info.count_total <= 5 + GROWTH, "{info:?}");
}

#[test]
fn a_clone_for_a_retry_copies_no_body() {
    let usage = Usage::new("p").data(UsageData::new().value("v", "x".repeat(100_000)));
    let request = api().request(&usage).unwrap();
    let info = measure(|| drop(request.body().clone()));
    assert!(info.bytes_total < 100, "{info:?}");
}

#[test]
fn w30_an_answer_is_handed_over_without_a_copy() {
    let body = bytes::Bytes::from(vec![b'x'; 50_000]);
    let at = body.as_ptr();
    let saved = api().response(http::Response::new(body)).unwrap();
    assert_eq!(saved.body().as_ptr(), at);
}
