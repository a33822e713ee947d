//! Payloads from the bytes of a fuzzer.

use arbitrary::{Arbitrary, Result, Unstructured};

use super::model::{Call, Group, Input, Tree};
use super::own::{Key, Own};

/// How deep values are nested one by one; [`Tree::Nest`] goes further.
const DEEPEST: u32 = 12;

impl<'a> Arbitrary<'a> for Input {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let limit = u.arbitrary()?;
        let call = match u.int_in_range(0..=4)? {
            0 => Call::Server(u.arbitrary()?),
            1 => Call::Stats {
                product: u.arbitrary()?,
                cluster_id: u.arbitrary()?,
                server_id: u.arbitrary()?,
                groups: u.arbitrary()?,
            },
            2 => Call::Usage { product: u.arbitrary()?, groups: u.arbitrary()? },
            3 => Call::Forget(u.arbitrary()?),
            _ => Call::Own { segments: u.arbitrary()?, body: own(u, DEEPEST)? },
        };
        Ok(Self { call, limit })
    }
}

impl<'a> Arbitrary<'a> for Group {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let name = u.arbitrary()?;
        let tags = u.arbitrary()?;
        let values = many(u, |u| Ok((u.arbitrary()?, tree(u, DEEPEST)?)))?;
        Ok(Self { name, tags, values })
    }
}

fn tree(u: &mut Unstructured<'_>, depth: u32) -> Result<Tree> {
    let kinds = if depth == 0 { 6 } else { 9 };
    Ok(match u.int_in_range(0..=kinds)? {
        0 => Tree::Null,
        1 => Tree::Bool(u.arbitrary()?),
        2 => Tree::Unsigned(u.arbitrary()?),
        3 => Tree::Signed(u.arbitrary()?),
        4 => Tree::Float(u.arbitrary()?),
        5 => Tree::Float32(u.arbitrary()?),
        6 => Tree::Text(u.arbitrary()?),
        7 => Tree::List(many(u, |u| tree(u, depth - 1))?),
        8 => Tree::Map(many(u, |u| Ok((u.arbitrary()?, tree(u, depth - 1)?)))?),
        _ => Tree::Nest(u.arbitrary()?, Box::new(tree(u, 0)?)),
    })
}

fn own(u: &mut Unstructured<'_>, depth: u32) -> Result<Own> {
    let kinds = if depth == 0 { 11 } else { 21 };
    let boxed = |u: &mut Unstructured<'_>| own(u, depth - 1).map(Box::new);
    let list = |u: &mut Unstructured<'_>| many(u, |u| own(u, depth - 1));
    Ok(match u.int_in_range(0..=kinds)? {
        0 => Own::Unit,
        1 => Own::None,
        2 => Own::Bool(u.arbitrary()?),
        3 => Own::Unsigned(u.arbitrary()?),
        4 => Own::Signed(u.arbitrary()?),
        5 => Own::Float32(u.arbitrary()?),
        6 => Own::Float(u.arbitrary()?),
        7 => Own::Char(u.arbitrary()?),
        8 => Own::Text(u.arbitrary()?),
        9 => Own::Displayed(u.arbitrary()?),
        10 => Own::Bytes(u.arbitrary()?),
        11 => Own::UnitVariant,
        12 => Own::Some(boxed(u)?),
        13 => Own::Newtype(boxed(u)?),
        14 => Own::NewtypeVariant(boxed(u)?),
        15 => Own::Seq(list(u)?),
        16 => Own::Tuple(list(u)?),
        17 => Own::TupleStruct(list(u)?),
        18 => Own::TupleVariant(list(u)?),
        19 => Own::Struct(list(u)?),
        20 => Own::StructVariant(list(u)?),
        _ => Own::Map {
            together: u.arbitrary()?,
            entries: many(u, |u| Ok((key(u)?, own(u, depth - 1)?)))?,
        },
    })
}

fn key(u: &mut Unstructured<'_>) -> Result<Key> {
    Ok(match u.int_in_range(0..=3)? {
        0 => Key::Text(u.arbitrary()?),
        1 => Key::Integer(u.arbitrary()?),
        2 => Key::Bool(u.arbitrary()?),
        _ => Key::Char(u.arbitrary()?),
    })
}

/// As many as the bytes say.
fn many<'a, T>(
    u: &mut Unstructured<'a>,
    mut one: impl FnMut(&mut Unstructured<'a>) -> Result<T>,
) -> Result<Vec<T>> {
    let mut list = Vec::new();
    while !u.is_empty() && u.arbitrary()? {
        list.push(one(u)?);
    }
    Ok(list)
}
