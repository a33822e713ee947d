//! Payloads and registrations from a fuzzer's bytes.

use arbitrary::{Arbitrary, Result, Unstructured};

use crate::idempotency::IdempotencyKey;
use crate::parse_request::Payload;
use crate::payload::{
    Forget, Number, Server, Stats, StatsData, Tags, Usage, UsageData, Value, Values,
};
use crate::registration::Registration;

/// How deep values are nested.
const DEEPEST: u32 = 12;

impl<'a> Arbitrary<'a> for Payload {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(match u.int_in_range(0..=3)? {
            0 => Self::Server(u.arbitrary()?),
            1 => Self::Stats(u.arbitrary()?),
            2 => Self::Forget(u.arbitrary()?),
            _ => Self::Usage(u.arbitrary()?),
        })
    }
}

impl<'a> Arbitrary<'a> for Server {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let server = Self::new().cluster_id(text(u)?).server_id(text(u)?).host(text(u)?);
        Ok(server.product(text(u)?).version(text(u)?))
    }
}

impl<'a> Arbitrary<'a> for Forget {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(Self::new(text(u)?).cluster_id(text(u)?).server_id(text(u)?))
    }
}

impl<'a> Arbitrary<'a> for Stats {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let mut stats = Self::new(text(u)?).cluster_id(text(u)?).server_id(text(u)?);
        stats.data = u.arbitrary()?;
        Ok(stats)
    }
}

impl<'a> Arbitrary<'a> for StatsData {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let mut data = Self::new(text(u)?);
        (data.tags, data.values) = u.arbitrary()?;
        Ok(data)
    }
}

impl<'a> Arbitrary<'a> for Usage {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let mut usage = Self::new(text(u)?);
        usage.data = u.arbitrary()?;
        Ok(usage)
    }
}

impl<'a> Arbitrary<'a> for UsageData {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let mut data = Self::new();
        (data.tags, data.values) = u.arbitrary()?;
        Ok(data)
    }
}

impl<'a> Arbitrary<'a> for Tags {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let pairs: Vec<(String, String)> = u.arbitrary()?;
        Ok(pairs.into_iter().collect())
    }
}

impl<'a> Arbitrary<'a> for Values {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        values(u, DEEPEST)
    }
}

impl<'a> Arbitrary<'a> for Value {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        value(u, DEEPEST)
    }
}

/// A float that is not finite is one of them: it is refused when it is encoded.
impl<'a> Arbitrary<'a> for Number {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(match u.int_in_range(0..=3)? {
            0 => u.arbitrary::<u64>()?.into(),
            1 => u.arbitrary::<i64>()?.into(),
            2 => u.arbitrary::<f64>()?.into(),
            _ => u.arbitrary::<f32>()?.into(),
        })
    }
}

impl<'a> Arbitrary<'a> for Registration {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let mut registration = Self::new(text(u)?, text(u)?);
        if let Some(url) = u.arbitrary::<Option<String>>()? {
            registration = registration.redirect_url(url);
        }
        if let Some(nonce) = u.arbitrary::<Option<[u8; 16]>>()? {
            registration = registration.state(nonce);
        }
        Ok(registration)
    }
}

impl<'a> Arbitrary<'a> for IdempotencyKey {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        u.arbitrary().map(Self::from_bytes)
    }
}

fn text(u: &mut Unstructured<'_>) -> Result<String> {
    u.arbitrary()
}

fn value(u: &mut Unstructured<'_>, depth: u32) -> Result<Value> {
    let kinds = if depth == 0 { 3 } else { 5 };
    Ok(match u.int_in_range(0..=kinds)? {
        0 => Value::Null,
        1 => Value::Bool(u.arbitrary()?),
        2 => Value::Number(u.arbitrary()?),
        3 => Value::String(u.arbitrary()?),
        4 => {
            let mut list = Vec::new();
            while !u.is_empty() && u.arbitrary()? {
                list.push(value(u, depth - 1)?);
            }
            Value::List(list)
        }
        _ => Value::Map(values(u, depth - 1)?),
    })
}

fn values(u: &mut Unstructured<'_>, depth: u32) -> Result<Values> {
    let mut map = Values::new();
    while !u.is_empty() && u.arbitrary()? {
        map.insert(text(u)?, value(u, depth)?);
    }
    Ok(map)
}
