//! Texts for properties.

/// Texts of every kind: plain, unicode, control characters, what is special somewhere.
pub fn texts() -> proptest::strategy::BoxedStrategy<String> {
    use proptest::prelude::*;

    let odd = prop::sample::select(vec![
        "",
        "\0",
        "\u{7f}",
        "\r\n",
        "\"\\/",
        "<>&\u{2028}\u{2029}",
        "é",
        "e\u{301}",
        "\u{202e}abc",
        "\u{fffd}",
        "\u{10ffff}",
        "null",
        "a.b[0]",
        "$serde_json::private::RawValue",
    ]);
    prop_oneof![
        4 => "[a-z_]{1,8}",
        4 => any::<String>(),
        1 => "\\PC{0,300}",
        2 => odd.prop_map(str::to_owned),
    ]
    .boxed()
}
