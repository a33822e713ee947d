//! Properties: what must hold for any input, drawn from strategies and judged by the oracles.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::test_runner::Config;
use testkit::oracle::text::texts;
use testkit::oracle::{
    answer, base_url, exchange, payload, proxy, registration, request, retry_after,
};
use usage_proto::oracles::{check_debug, check_error};
use usage_proto::{Api, BaseUrl, IdempotencyKey, Server, Token, TransportError};

/// So many inputs that the suite takes a few seconds; `PROPTEST_CASES` asks for another number.
fn cases(count: u32) -> Config {
    match std::env::var_os("PROPTEST_CASES") {
        Some(_) => Config::default(),
        None => Config::with_cases(count),
    }
}

proptest! {
    #![proptest_config(cases(400))]

    /// Encoding, reading back, order, limit, and the path to what is not finite.
    #[test]
    fn w1_w9_w10_w11_w12_w15_any_payload_is_sent_as_it_is_or_refused(input in payload::inputs()) {
        payload::check(&input);
    }
}

proptest! {
    #![proptest_config(cases(1500))]

    #[test]
    fn w1_w8_w10_any_request_is_read_as_it_stands_or_refused(input in request::inputs()) {
        request::check(&input);
    }

    #[test]
    fn w30_to_w39_w44_w46_any_answer_has_a_typed_outcome_with_its_status(input in answer::inputs()) {
        // W30, W31, W32, W33, W34, W35, W36, W37, W38, W39, W44, W46
        answer::check(&input);
    }

    #[test]
    fn w38_w40_w46_any_bytes_have_one_outcome_however_they_are_cut(input in exchange::inputs()) {
        exchange::check(&input);
    }

    /// Bytes as calls: no order of them is wrong.
    #[test]
    fn an_exchange_may_be_called_in_any_order(calls in vec(any::<u8>(), 0..60)) {
        exchange::check_any_order(&calls);
    }

    #[test]
    fn w2_w3_w4_w5_w7_any_text_is_a_base_url_or_refused(text in base_url::texts()) {
        base_url::check(&text);
    }

    #[test]
    fn w20_w21_w22_w23_any_registration_comes_back_as_it_went(input in registration::inputs()) {
        registration::check(&input);
    }

    #[test]
    fn any_environment_has_a_proxy_or_none(input in proxy::inputs()) {
        proxy::check(&input);
    }

    #[test]
    fn w39_any_wait_is_at_most_a_day(
        wait in retry_after::waits(),
        date in option::of(retry_after::dates()),
    ) {
        retry_after::check(wait.as_bytes(), date.as_deref().map(str::as_bytes));
    }

    #[test]
    fn w39_any_bytes_are_a_wait_or_none(
        wait in vec(any::<u8>(), 0..40),
        date in option::of(vec(any::<u8>(), 0..40)),
    ) {
        retry_after::check(&wait, date.as_deref());
    }

    /// What becomes of a text that is no token is told without the text.
    #[test]
    fn w6_any_text_is_a_token_or_refused(text in texts()) {
        match Token::new(&text) {
            Ok(token) => {
                prop_assert_eq!(token.expose(), text.trim());
                prop_assert!(token.expose().bytes().all(|byte| matches!(byte, b' '..=b'~')));
            }
            Err(error) => {
                let fine = text.trim().bytes().all(|byte| matches!(byte, b' '..=b'~'));
                prop_assert!(text.trim().is_empty() || !fine);
                prop_assert!(text.len() < 8 || !error.to_string().contains(&text));
            }
        }
    }

    /// Whatever carries a token shows it to nobody but the API.
    #[test]
    fn w6_no_token_in_debug_or_errors(
        token in answer::tokens(),
        source in "[a-z ]{0,20}",
        random in any::<[u8; 16]>(),
    ) {
        let secret = token.expose().to_owned();
        let secrets = [secret.as_str()];
        check_debug(&token, &secrets);
        let api = Api::new(BaseUrl::STAGING).with_token(token.clone()).unwrap();
        check_debug(&api, &secrets);

        let mut request = api.build_request(&Server::new().cluster_id("c")).unwrap();
        IdempotencyKey::from_bytes(random).apply(&mut request);
        check_debug(&request, &secrets);
        prop_assert_eq!(&request.headers()["x-authorization"], secret.as_str());
        prop_assert!(request.headers()["x-authorization"].is_sensitive());

        let plain = BaseUrl::new("http://usage.example.com").unwrap();
        check_error(&Api::new(plain).with_token(token).unwrap_err(), &secrets);
        let uri = format!("http://{secret}@usage.example.com/?token={secret}").parse().unwrap();
        check_error(&TransportError::connect(source.clone()).at(&uri), &secrets);
        check_error(&TransportError::timeout(source).at(request.uri()), &secrets);
    }

    /// The same key for the same bits, as a quoted string.
    #[test]
    fn w43_any_bits_are_a_key(random in any::<[u8; 16]>()) {
        let key = IdempotencyKey::from_bytes(random);
        prop_assert_eq!(key.to_bytes(), random);
        let mut request = http::Request::new(());
        key.apply(&mut request);
        let digits = registration::hex(&random);
        prop_assert_eq!(&request.headers()["idempotency-key"], &format!("\"{digits}\""));
        prop_assert_eq!(key.to_string(), digits);
    }
}
