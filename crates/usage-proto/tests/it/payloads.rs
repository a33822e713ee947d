//! W8, W10 to W12 and W14: what a payload is on the wire, and read back.

use bytes::Bytes;
use http::{Method, Request};
use serde_json::json;
use usage_proto::{
    Api, BaseUrl, Number, ParseRequestError, Payload, Saveable, Server, Stats, StatsData, Tags,
    Usage, UsageData, Value, Values, parse_request,
};

fn body<P: Saveable>(payload: &P) -> String {
    let request = Api::new(BaseUrl::STAGING).build_request(payload).unwrap();
    String::from_utf8(request.into_body().into()).unwrap()
}

fn one(value: impl Into<Value>) -> Usage {
    Usage::new("p").data(UsageData::new().value("v", value))
}

fn post(path: &str, body: &'static str) -> Request<Bytes> {
    Request::post(path).body(Bytes::from_static(body.as_bytes())).unwrap()
}

#[test]
fn the_original_examples_have_the_original_bytes() {
    let server = Server::new()
        .cluster_id("clus1")
        .server_id("serv1")
        .host("example.com")
        .product("influxdb")
        .version("1.0");
    assert_eq!(
        body(&server),
        r#"{"cluster_id":"clus1","server_id":"serv1","host":"example.com","product":"influxdb","version":"1.0"}"#
    );

    let stats = Stats::new("influxdb").cluster_id("clus1").server_id("serv1").data(
        StatsData::new("engine")
            .tag("path", "/home/philip/.influxdb/data/_internal/monitor/1")
            .tag("version", "bz1")
            .value("blks_write", 39)
            .value("blks_write_bytes", 2421)
            .value("blks_write_bytes_c", 2202)
            .value("points_write", 39)
            .value("points_write_dedupe", 39),
    );
    assert_eq!(
        body(&stats),
        r#"{"cluster_id":"clus1","server_id":"serv1","stats":[{"name":"engine","tags":{"path":"/home/philip/.influxdb/data/_internal/monitor/1","version":"bz1"},"values":{"blks_write":39,"blks_write_bytes":2421,"blks_write_bytes_c":2202,"points_write":39,"points_write_dedupe":39}}]}"#
    );
}

#[test]
fn w8_what_is_empty_is_an_empty_list_or_map() {
    assert_eq!(body(&Usage::new("p")), "[]");
    assert_eq!(body(&Usage::new("p").data(UsageData::new())), r#"[{"tags":{},"values":{}}]"#);
    assert_eq!(body(&Stats::new("p")), r#"{"cluster_id":"","server_id":"","stats":[]}"#);
}

#[test]
fn w8_null_and_absence_are_read_as_empty() {
    let deployed = r#"[{"tags":null,"values":{"arch":"amd64","uptime":0.014956847}}]"#;
    let Payload::Usage(usage) = parse_request(&post("/api/v1/usage/influxdb", deployed)).unwrap()
    else {
        panic!("another payload");
    };
    assert_eq!(usage.product, "influxdb");
    assert!(usage.data[0].tags.is_empty());
    assert_eq!(usage.data[0].values.get("uptime"), Some(&Value::from(0.014_956_847)));

    for body in [r#"{"stats":null}"#, r#"{"cluster_id":null,"stats":[]}"#, "{}"] {
        let stats = parse_request(&post("/api/v1/stats/p", body)).unwrap();
        assert_eq!(stats, Payload::Stats(Stats::new("p")), "{body}");
    }
    let nulls = r#"{"stats":[{"name":null,"tags":{"a":null},"values":null}]}"#;
    let Payload::Stats(stats) = parse_request(&post("/api/v1/stats/p", nulls)).unwrap() else {
        panic!("another payload");
    };
    assert_eq!(stats.data, [StatsData::new("").tag("a", "")]);
    let usage = parse_request(&post("/api/v1/usage/p", "null")).unwrap();
    assert_eq!(usage, Payload::Usage(Usage::new("p")));
    let usage = parse_request(&post("/api/v1/usage/p", "[null]")).unwrap();
    assert_eq!(usage, Payload::Usage(Usage::new("p").data(UsageData::new())));
    let server = parse_request(&post("/api/v1/servers", "null")).unwrap();
    assert_eq!(server, Payload::Server(Server::new()));
}

#[test]
fn w10_numbers_are_exact() {
    for (value, json) in [
        (Value::from(u64::MAX), "18446744073709551615"),
        (Value::from(i64::MIN), "-9223372036854775808"),
        (Value::from(9_007_199_254_740_993_u64), "9007199254740993"),
        (Value::from(-128_i8), "-128"),
        (Value::from(0.1_f32), "0.1"),
        (Value::from(0.1_f64), "0.1"),
        (Value::from(-0.0_f64), "-0.0"),
        (Value::from(5e-324_f64), "5e-324"),
    ] {
        let text = body(&one(value.clone()));
        assert_eq!(text, format!(r#"[{{"tags":{{}},"values":{{"v":{json}}}}}]"#));
        // Read back, it is the same number: neither is a digit lost in parsing.
        let request = Api::new(BaseUrl::STAGING).build_request(&one(value.clone())).unwrap();
        assert_eq!(parse_request(&request).unwrap(), Payload::Usage(one(value)));
    }
    assert_eq!(Number::from(3_u8), Number::from(3_isize));
    assert_eq!(Number::from(-3_i8).as_i64(), Some(-3));
    assert_eq!(Number::from(u64::MAX).as_i64(), None);
    assert_eq!(Number::from(2_usize).as_f64(), 2.0);
}

#[test]
fn w11_the_same_payload_gives_the_same_bytes_in_any_order_of_insertion() {
    let forwards = UsageData::new().tag("a", "1").tag("é", "2").value("x", 1).value("Y", 2);
    let backwards = UsageData::new().value("Y", 2).value("x", 1).tag("é", "2").tag("a", "1");
    let text = body(&Usage::new("p").data(forwards));
    assert_eq!(text, body(&Usage::new("p").data(backwards)));
    // Keys are sorted by their bytes, fields stand as declared.
    assert_eq!(text, r#"[{"tags":{"a":"1","é":"2"},"values":{"Y":2,"x":1}}]"#);

    let nested: Values =
        [("b", Value::from(1)), ("a", Value::from(Values::from([("<", 2)])))].into_iter().collect();
    assert_eq!(body(&one(nested)), r#"[{"tags":{},"values":{"v":{"a":{"<":2},"b":1}}}]"#);
}

#[test]
fn w12_every_text_is_the_same_json_value() {
    let text = "<>&\u{2028}\u{2029}\0\u{7f}\"\\/é日本語😀";
    let read: serde_json::Value = serde_json::from_str(&body(&one(text))).unwrap();
    assert_eq!(read, json!([{"tags": {}, "values": {"v": text}}]));
}

#[test]
fn w14_any_type_of_the_application_can_be_saved() {
    #[derive(serde::Serialize)]
    struct Heartbeat {
        id: u64,
        tags: Tags,
    }

    impl Saveable for Heartbeat {
        fn segments(&self) -> impl IntoIterator<Item: AsRef<str>> {
            ["heartbeats".to_owned(), self.id.to_string()]
        }
    }

    let heartbeat = Heartbeat { id: 7, tags: Tags::from([("os", "linux")]) };
    let request = Api::new(BaseUrl::STAGING).build_request(&&heartbeat).unwrap();
    assert_eq!(request.uri().path(), "/api/v1/heartbeats/7");
    assert_eq!(request.body(), r#"{"id":7,"tags":{"os":"linux"}}"#);
}

#[test]
fn every_kind_of_value_is_written_and_read_back() {
    let payload = one(vec![
        Value::Null,
        true.into(),
        Value::from(None::<i32>),
        Value::from(Some("x")),
        String::from("s").into(),
        std::borrow::Cow::Borrowed("c").into(),
        Values::new().into(),
        Vec::<i32>::new().into(),
        1_u16.into(),
        2_u32.into(),
        3_i16.into(),
        4_isize.into(),
        5_usize.into(),
        1.5_f64.into(),
    ]);
    let request = Api::new(BaseUrl::STAGING).build_request(&payload).unwrap();
    assert_eq!(
        request.body(),
        r#"[{"tags":{},"values":{"v":[null,true,null,"x","s","c",{},[],1,2,3,4,5,1.5]}}]"#
    );
    assert_eq!(parse_request(&request).unwrap(), Payload::Usage(payload));
}

#[test]
fn maps_can_be_read_and_changed() {
    let mut tags = Tags::from([("b", "2"), ("a", "1")]);
    assert_eq!(tags.insert("a", "3"), Some("1".into()));
    assert_eq!(tags.remove("b"), Some("2".into()));
    assert_eq!((tags.get("a"), tags.get("b"), tags.len()), (Some("3"), None, 1));
    tags.extend([("c", "4")]);
    let entries: Vec<_> = tags.iter().map(|(key, value)| (&**key, &**value)).collect();
    assert_eq!(entries, [("a", "3"), ("c", "4")]);
    tags.get_mut("c").unwrap().push('!');
    let listed: Vec<_> = (&tags).into_iter().map(|(key, tag)| format!("{key}={tag}")).collect();
    assert_eq!(listed, ["a=3", "c=4!"]);
    assert_eq!(tags.into_iter().next(), Some(("a".into(), "3".into())));

    let values = [Value::from("x"), 3.into(), true.into()];
    assert_eq!(values.each_ref().map(Value::as_str), [Some("x"), None, None]);
    assert_eq!(values.each_ref().map(Value::as_number), [None, Some(3.into()), None]);
    assert_eq!(values.each_ref().map(Value::as_bool), [None, None, Some(true)]);
}

#[test]
fn a_request_that_is_no_call_is_told_from_one_with_a_bad_body() {
    let error = |path: &str, body| parse_request(&post(path, body)).unwrap_err();
    assert!(matches!(error("/api/v1/nothing", "{}"), ParseRequestError::UnknownRoute { .. }));
    assert!(matches!(error("/api/v1/stats", "{}"), ParseRequestError::UnknownRoute { .. }));
    assert!(matches!(error("/api/v1/stats/", "{}"), ParseRequestError::Segment { .. }));
    for segment in ["%ff", ".", "..", "%2e", "%2E%2e"] {
        let error = error(&format!("/api/v1/usage/{segment}"), "[]");
        assert!(matches!(error, ParseRequestError::Segment { .. }), "{segment}: {error:?}");
    }

    let got = Request::get("/api/v1/servers").body(Bytes::new()).unwrap();
    assert!(matches!(
        parse_request(&got).unwrap_err(),
        ParseRequestError::Method { method: Method::GET, .. }
    ));

    let ParseRequestError::Body { message, line, column, .. } =
        error("/api/v1/servers", "{\n  \"cluster_id\": 7}")
    else {
        panic!("another error");
    };
    assert_eq!((line, column), (2, 17));
    assert_eq!(message, "invalid type: integer `7`, expected a string");
}

#[test]
fn w8_an_object_is_not_read_from_a_list() {
    for (path, body) in [
        ("/api/v1/servers", r#"["c","s","h","p","v"]"#),
        ("/api/v1/stats/p", r#"["c","s",[]]"#),
        ("/api/v1/stats/p", r#"{"stats":[["n",{},{}]]}"#),
        ("/api/v1/usage/p", r"[[{},{}]]"),
        ("/api/v1/usage/p", r#"{"tags":{}}"#),
    ] {
        let error = parse_request(&post(path, body)).unwrap_err();
        assert!(matches!(error, ParseRequestError::Body { .. }), "{body}: {error:?}");
    }
}

#[test]
fn w11_a_map_may_have_the_key_that_serde_json_keeps_for_itself() {
    let private = "$serde_json::private::Number";
    // Where some crate turns on `arbitrary_precision`, which keeps the digits of a number as they
    // were, `serde_json` itself cannot tell such a map from a number.
    let number: serde_json::Number = serde_json::from_str("1.50").unwrap();
    if number.to_string() == "1.50" {
        return;
    }
    for value in [Value::from("12"), "x".into(), 1.into()] {
        let payload = one(Values::from([(private, value)]));
        let request = Api::new(BaseUrl::STAGING).build_request(&payload).unwrap();
        assert_eq!(parse_request(&request).unwrap(), Payload::Usage(payload));
    }
}

#[test]
fn w10_a_number_too_large_for_a_float_is_refused() {
    let error = parse_request(&post("/api/v1/usage/p", r#"[{"values":{"v":1e400}}]"#)).unwrap_err();
    assert!(matches!(error, ParseRequestError::Body { line: 1, .. }), "{error:?}");
}

#[test]
fn tags_and_values_have_what_a_map_has() {
    let mut tags = Tags::from([("a", "1"), ("b", "2")]);
    assert!(tags.iter().eq(&tags), "the same entries by reference");
    for (_, value) in &mut tags {
        value.push('!');
    }
    tags.iter_mut().for_each(|(_, value)| value.push('?'));
    assert!(tags.values().eq(["1!?", "2!?"]));
    tags.entry("c").or_default().push('3');
    tags.entry("c").or_insert_with(|| "never".into());
    assert!(tags.keys().eq(["a", "b", "c"]));
    tags.retain(|key, _| key != "b");
    assert!(tags.contains_key("a") && !tags.contains_key("b"));
    tags.clear();
    assert!(tags.is_empty());

    let mut values = Values::from([("a", Value::from(1)), ("b", Value::Null)]);
    assert!(values.iter().eq(&values));
    values.values_mut().for_each(|value| *value = true.into());
    values.retain(|key, value| key == "a" && *value == true.into());
    assert_eq!(values.len(), 1);
}
