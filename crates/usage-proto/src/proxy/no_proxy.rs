use std::net::IpAddr;

/// Whether a `NO_PROXY` list has the host.
pub(super) fn covers(list: &str, host: &str, port: u16) -> bool {
    let host = host.strip_suffix('.').unwrap_or(host);
    let address = host.parse::<IpAddr>().ok().map(|address| address.to_canonical());
    list.split(|c: char| c == ',' || c.is_whitespace())
        .filter(|entry| !entry.is_empty())
        .any(|entry| entry == "*" || entry_covers(entry, host, address, port))
}

fn entry_covers(entry: &str, host: &str, address: Option<IpAddr>, port: u16) -> bool {
    let (name, only_port) = split_port(entry);
    if only_port.is_some_and(|only| only != port) {
        return false;
    }
    match address {
        Some(address) => match name.split_once('/') {
            Some((network, bits)) => in_network(address, network, bits),
            None => name.parse::<IpAddr>().is_ok_and(|entry| entry.to_canonical() == address),
        },
        None => is_or_is_below(host, name),
    }
}

/// `host:port`, `[address]:port`, or either without a port.
fn split_port(entry: &str) -> (&str, Option<u16>) {
    if let Some((address, rest)) = entry.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return (address, rest.strip_prefix(':').and_then(|port| port.parse().ok()));
    }
    match entry.split_once(':') {
        // More than one colon is an IPv6 address without brackets.
        Some((name, port)) if !port.contains(':') => match port.parse() {
            Ok(port) => (name, Some(port)),
            Err(_) => (entry, None),
        },
        _ => (entry, None),
    }
}

fn is_or_is_below(host: &str, name: &str) -> bool {
    let name = name.strip_prefix("*.").or(name.strip_prefix('.')).unwrap_or(name);
    let name = name.strip_suffix('.').unwrap_or(name);
    if name.is_empty() || host.len() < name.len() {
        return false;
    }
    // Bytes, since a name in the list need not be ASCII and a cut could fall inside a character.
    let (front, tail) = host.as_bytes().split_at(host.len() - name.len());
    tail.eq_ignore_ascii_case(name.as_bytes()) && (front.is_empty() || front.ends_with(b"."))
}

fn in_network(address: IpAddr, network: &str, bits: &str) -> bool {
    let (Ok(network), Ok(bits)) = (network.parse::<IpAddr>(), bits.parse::<u32>()) else {
        return false;
    };
    match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) if bits <= 32 => {
            let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
            address.to_bits() & mask == network.to_bits() & mask
        }
        (IpAddr::V6(address), IpAddr::V6(network)) if bits <= 128 => {
            let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
            address.to_bits() & mask == network.to_bits() & mask
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::covers;

    #[test]
    fn names_stand_for_what_is_below_them() {
        for list in ["example.com", ".example.com", "*.example.com", "x, EXAMPLE.com.:443"] {
            assert!(covers(list, "usage.example.com", 443), "{list}");
        }
        for list in ["ample.com", "example.com:80", "usage.example.com.org", "", ",", ".", "é"] {
            assert!(!covers(list, "usage.example.com", 443), "{list}");
        }
        assert!(covers("*", "usage.example.com", 443));
    }

    #[test]
    fn addresses_match_alone_and_in_networks() {
        for list in ["10.1.2.3", "10.0.0.0/8", "0.0.0.0/0", "10.1.2.3:80", "::ffff:10.1.2.3"] {
            assert!(covers(list, "10.1.2.3", 80), "{list}");
        }
        for list in ["10.1.2.4", "11.0.0.0/8", "10.0.0.0/33", "10.1.2.3:81", "2.3", "::/0"] {
            assert!(!covers(list, "10.1.2.3", 80), "{list}");
        }
        for list in ["2001:db8::1", "[2001:db8::1]:80", "2001:db8::/32", "[2001:db8::1]"] {
            assert!(covers(list, "2001:db8::1", 80), "{list}");
        }
        assert!(!covers("[2001:db8::1]:81", "2001:db8::1", 80));
    }
}
