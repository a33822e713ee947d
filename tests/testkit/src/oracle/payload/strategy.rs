//! Payloads for properties.

use proptest::collection::vec;
use proptest::prelude::*;

use super::model::{Call, Group, Input, Tree};
use super::own::{Key, Own};
use crate::oracle::text::texts;

/// Anything, floats that are not finite included.
pub fn inputs() -> impl Strategy<Value = Input> {
    let with_lost = calls(trees(any_floats()).boxed(), owns(any_floats()).boxed());
    (prop_oneof![3 => finite_calls(), 1 => with_lost], any::<u16>())
        .prop_map(|(call, limit)| Input { call, limit })
}

/// Payloads that can be encoded, but for their path.
pub fn finite_calls() -> impl Strategy<Value = Call> {
    calls(trees(finite_floats()).boxed(), owns(finite_floats()).boxed())
}

fn calls(trees: BoxedStrategy<Tree>, owns: BoxedStrategy<Own>) -> impl Strategy<Value = Call> {
    let groups = vec(groups(trees), 0..4).boxed();
    let stats = (products(), texts(), texts(), groups.clone()).prop_map(
        |(product, cluster_id, server_id, groups)| Call::Stats {
            product,
            cluster_id,
            server_id,
            groups,
        },
    );
    prop_oneof![
        1 => [texts(), texts(), texts(), texts(), texts()].prop_map(Call::Server),
        1 => (products(), texts(), texts())
            .prop_map(|(product, cluster, server)| Call::Forget([product, cluster, server])),
        3 => stats,
        3 => (products(), groups).prop_map(|(product, groups)| Call::Usage { product, groups }),
        3 => (vec(products(), 0..4), owns).prop_map(|(segments, body)| Call::Own { segments, body }),
    ]
}

/// Mostly names of a product; some that cannot stand in a path, and some that make it too long.
fn products() -> impl Strategy<Value = String> {
    let long = (21_000_usize..22_000, "[ é]").prop_map(|(count, text)| text.repeat(count));
    prop_oneof![
        20 => "[a-z]{1,12}",
        20 => texts(),
        1 => prop::sample::select(vec!["", ".", "..", "...", "%2e%2e", "servers", "/"])
            .prop_map(str::to_owned),
        1 => long,
    ]
}

fn groups(trees: BoxedStrategy<Tree>) -> impl Strategy<Value = Group> {
    let tags = prop_oneof![
        20 => vec((texts(), texts()), 0..5),
        // Huge, for a test: what does not fit into the first buffers.
        1 => vec((texts(), texts()), 500..600),
    ];
    (texts(), tags, vec((texts(), trees), 0..6)).prop_map(|(name, tags, values)| Group {
        name,
        tags,
        values,
    })
}

fn trees(floats: BoxedStrategy<f64>) -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![
        Just(Tree::Null),
        any::<bool>().prop_map(Tree::Bool),
        prop_oneof![any::<u64>(), Just(u64::MAX), Just(1 << 53)].prop_map(Tree::Unsigned),
        prop_oneof![any::<i64>(), Just(i64::MIN), Just(0)].prop_map(Tree::Signed),
        floats.clone().prop_map(Tree::Float),
        floats.prop_map(|float| Tree::Float32(narrow(float))),
        texts().prop_map(Tree::Text),
    ];
    let flat = leaf.clone();
    let tree = leaf.prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Tree::List),
            vec((texts(), inner), 0..6).prop_map(Tree::Map),
        ]
    });
    let nest = (any::<u8>(), flat).prop_map(|(levels, tree)| Tree::Nest(levels, Box::new(tree)));
    prop_oneof![20 => tree, 1 => nest]
}

fn owns(floats: BoxedStrategy<f64>) -> impl Strategy<Value = Own> {
    let leaf = prop_oneof![
        Just(Own::Unit),
        Just(Own::None),
        Just(Own::UnitVariant),
        any::<bool>().prop_map(Own::Bool),
        any::<u64>().prop_map(Own::Unsigned),
        any::<i64>().prop_map(Own::Signed),
        floats.clone().prop_map(|float| Own::Float32(narrow(float))),
        floats.prop_map(Own::Float),
        any::<char>().prop_map(Own::Char),
        texts().prop_map(Own::Text),
        texts().prop_map(Own::Displayed),
        vec(any::<u8>(), 0..8).prop_map(Own::Bytes),
    ];
    let keys = prop_oneof![
        texts().prop_map(Key::Text),
        any::<i64>().prop_map(Key::Integer),
        any::<bool>().prop_map(Key::Bool),
        any::<char>().prop_map(Key::Char),
    ]
    .boxed();
    leaf.prop_recursive(6, 40, 5, move |inner| {
        let list = vec(inner.clone(), 0..5).boxed();
        let boxed = inner.clone().prop_map(Box::new).boxed();
        prop_oneof![
            boxed.clone().prop_map(Own::Some),
            boxed.clone().prop_map(Own::Newtype),
            boxed.prop_map(Own::NewtypeVariant),
            list.clone().prop_map(Own::Seq),
            list.clone().prop_map(Own::Tuple),
            list.clone().prop_map(Own::TupleStruct),
            list.clone().prop_map(Own::TupleVariant),
            list.clone().prop_map(Own::Struct),
            list.prop_map(Own::StructVariant),
            (any::<bool>(), vec((keys.clone(), inner), 0..5))
                .prop_map(|(together, entries)| Own::Map { together, entries }),
        ]
    })
}

fn finite_floats() -> BoxedStrategy<f64> {
    use prop::num::f64::{NEGATIVE, NORMAL, POSITIVE, SUBNORMAL, ZERO};
    let extremes = prop::sample::select(vec![
        f64::MAX,
        f64::MIN,
        f64::MIN_POSITIVE,
        f64::EPSILON,
        5e-324,
        -0.0,
        1e21,
        1e16,
        0.1,
    ]);
    prop_oneof![3 => POSITIVE | NEGATIVE | NORMAL | SUBNORMAL | ZERO, 1 => extremes].boxed()
}

fn any_floats() -> BoxedStrategy<f64> {
    let lost = prop::sample::select(vec![f64::NAN, f64::INFINITY, f64::NEG_INFINITY]);
    prop_oneof![4 => finite_floats(), 1 => lost].boxed()
}

/// The nearest short float that is finite where the long one is.
#[expect(clippy::cast_possible_truncation, reason = "rounding is what is wanted")]
fn narrow(float: f64) -> f32 {
    let short = float as f32;
    if float.is_finite() { short.clamp(f32::MIN, f32::MAX) } else { short }
}
