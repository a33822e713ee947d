//! A request costs few allocations: at most four, and the growth of the one body buffer.

use allocation_counter::measure;
use usage_proto::{Api, BaseUrl, Saveable, Server, Token, Usage, UsageData};

fn api() -> Api {
    let api = Api::new(BaseUrl::PRODUCTION).with_application("influxdb/1.8.10").unwrap();
    api.with_token(Token::new("token-goes-here").unwrap()).unwrap()
}

/// How many allocations building a request takes, the growth of its body's buffer included: the
/// counter counts a buffer that grows as a new one.
fn count<P: Saveable>(api: &Api, payload: &P) -> u64 {
    let mut request = None;
    let info = measure(|| request = Some(api.build_request(payload)));
    assert!(request.unwrap().is_ok());
    info.count_total
}

/// What a request takes beside its buffer's growth: a small body is one allocation of its size.
fn fixed(api: &Api) -> u64 {
    let server = Server::new().cluster_id("c").server_id("s").host("h").product("p").version("1");
    // The first build pays for what an `Api` sets up once.
    count(api, &server);
    count(api, &server)
}

#[test]
fn a_request_takes_at_most_four() {
    let fixed = fixed(&api());
    assert!(fixed <= 4, "{fixed}");
}

#[test]
fn a_body_of_a_mebibyte_grows_its_buffer_at_most_six_times() {
    let api = api();
    let fixed = fixed(&api);
    for bytes in [0, 900, 1_000, 4_000, 70_000, 1_000_000, (1 << 20) - 31] {
        let usage = Usage::new("p").data(UsageData::new().value("v", "x".repeat(bytes)));
        let growth = count(&api, &usage) - fixed;
        assert!(growth <= 6, "{bytes}: {growth}");
    }
    // Many small writes instead of one large one: every step of the growth is taken.
    for values in [100, 1_000, 10_000, 60_000] {
        let many: UsageData =
            (0..values).fold(UsageData::new(), |data, n| data.value(n.to_string(), n));
        let growth = count(&api, &Usage::new("p").data(many)) - fixed;
        assert!(growth <= 6, "{values}: {growth}");
    }
}

#[test]
fn a_clone_for_a_retry_copies_no_body() {
    let usage = Usage::new("p").data(UsageData::new().value("v", "x".repeat(100_000)));
    let request = api().build_request(&usage).unwrap();
    let info = measure(|| drop(request.body().clone()));
    assert!(info.bytes_total < 100, "{info:?}");
}

#[test]
fn w30_an_answer_is_handed_over_without_a_copy() {
    let body = bytes::Bytes::from(vec![b'x'; 50_000]);
    let at = body.as_ptr();
    let saved = api().parse_response(http::Response::new(body)).unwrap();
    assert_eq!(saved.body().as_ptr(), at);
}

/// As many as it takes to read the same body into plain structs.
#[test]
fn an_answer_takes_no_more_than_to_read_it() {
    const FIELDS: &str = r#"{"errors":{"cluster_id":["ClusterID can not be blank."],"host":["Host can not be blank."],"product":["Product can not be blank."],"server_id":["ServerID can not be blank."],"version":["Version can not be blank."]}}"#;
    let api = api();
    for (status, body, most) in
        [(201, "{}", 0), (401, r#"{"error":"not authorized"}"#, 1), (422, FIELDS, 16)]
    {
        let body = bytes::Bytes::from_static(body.as_bytes());
        let answer = http::Response::builder().status(status).body(body).unwrap();
        let mut judged = None;
        let info = measure(|| judged = Some(api.parse_response(answer)));
        assert_eq!(judged.unwrap().is_ok(), status == 201);
        assert!(info.count_total <= most, "{status}: {info:?}");
    }
}
