//! W35 and W36: error bodies as lenient as Go reads them, and then some.

use bytes::Bytes;
use http::Response;
use usage_proto::{Api, BaseUrl, ResponseErrorKind};

fn kind(body: impl Into<Bytes>) -> ResponseErrorKind {
    let response = Response::builder().status(422).body(body.into()).unwrap();
    Api::new(BaseUrl::STAGING).parse_response(response).unwrap_err().kind
}

fn simple(body: impl Into<Bytes>) -> String {
    match kind(body) {
        ResponseErrorKind::Simple(error) => error.message,
        other => panic!("{other:?}"),
    }
}

/// The fields in a form that is easy to compare: `field=[a|b]`.
fn fields(body: impl Into<Bytes>) -> String {
    match kind(body) {
        ResponseErrorKind::Validation(errors) => {
            let fields = errors.errors.iter().map(|(f, m)| format!("{f}=[{}]", m.join("|")));
            fields.collect::<Vec<_>>().join(" ")
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn w35_whatever_a_field_holds_it_is_not_dropped() {
    for (body, shown) in [
        (r#"{"errors":{}}"#, ""),
        (r#"{"errors":{"host":"blank"}}"#, "host=[blank]"),
        (r#"{"errors":{"a":null}}"#, "a=[]"),
        (r#"{"errors":{"a":[]}}"#, "a=[]"),
        (r#"{"errors":{"a":[null,"x"]}}"#, "a=[|x]"),
        (r#"{"errors":{"a":[1,1.50,true]}}"#, "a=[1|1.50|true]"),
        (r#"{"errors":{"a":7,"b":false}}"#, "a=[7] b=[false]"),
        (r#"{"errors":{"a":{"b":["c"]}}}"#, r#"a=[{"b":["c"]}]"#),
        (r#"{"errors":{"a":[["b"],{"c":1}]}}"#, r#"a=[["b"]|{"c":1}]"#),
    ] {
        assert_eq!(fields(body), shown, "{body}");
    }
}

#[test]
fn w36_keys_in_any_letter_case() {
    assert_eq!(simple(r#"{"ERROR":"up"}"#), "up");
    assert_eq!(fields(r#"{"Errors":{"a":["x"]}}"#), "a=[x]");
    assert_eq!(fields(r#"{"errorſ":{"a":["x"]}}"#), "a=[x]");
    assert_eq!(fields(r#"{"error\u017f":{"a":["x"]}}"#), "a=[x]");
}

#[test]
fn w36_repeated_keys() {
    assert_eq!(simple(r#"{"error":"first","error":"second"}"#), "second");
    assert_eq!(simple(r#"{"error":"first","error":1}"#), "first");
    assert_eq!(fields(r#"{"errors":{"a":["1"],"a":["2"]}}"#), "a=[2]");
    let twice = r#"{"errors":{"a":["1"],"b":["1"]},"errors":{"b":["2"],"c":["2"]}}"#;
    assert_eq!(fields(twice), "a=[1] b=[2] c=[2]");
    assert_eq!(fields(r#"{"errors":{"a":["1"]},"errors":null}"#), "a=[1]");
}

#[test]
fn w36_what_is_around_the_object_and_beside_its_fields() {
    assert_eq!(simple("\r\n\t {\"error\":\"ws\"}\n"), "ws");
    assert_eq!(simple(r#"{"error":"e"}garbage"#), "e");
    assert_eq!(fields(r#"{"errors":{"a":["1"]}} x"#), "a=[1]");
    assert_eq!(simple("\u{feff}{\"error\":\"bom\"}"), "bom");
    assert_eq!(simple(r#"{"status":401,"error":"e","trace":[{"x":[null]}]}"#), "e");
}

#[test]
fn w36_ten_thousand_levels_of_nesting_in_a_field_of_no_interest() {
    let deep = format!(r#"{{"x":{}{},"error":"e"}}"#, "[".repeat(10_000), "]".repeat(10_000));
    assert_eq!(simple(deep), "e");
    let deep = "{\"a\":".repeat(10_000) + "1" + &"}".repeat(10_000);
    assert_eq!(fields(format!(r#"{{"errors":{{"f":{deep}}}}}"#)), format!("f=[{deep}]"));
}

#[test]
fn w36_text_that_is_not_quite_text() {
    assert_eq!(simple(&b"{\"error\":\"a\xffb\"}"[..]), "a\u{fffd}b");
    assert_eq!(fields(&b"{\"errors\":{\"a\xff\":[\"\xff\"]}}"[..]), "a\u{fffd}=[\u{fffd}]");
    assert_eq!(simple(r#"{"error":"\ud800x"}"#), "\u{fffd}x");
    assert_eq!(simple(r#"{"error":"\ud83d\ude00"}"#), "😀");
    assert_eq!(simple(r#"{"error":"<\u003c\/\n\"\\>"}"#), "<</\n\"\\>");
    assert_eq!(simple(r#"{"x":"\ud800","error":"e"}"#), "e");
}
