//! What a customer types.

use usage_proto::RegistrationRequest;

use super::policy::Registration;
use crate::store::name_length;
use crate::store::registrant::Registrant;

/// The longest text that a field takes, in characters. An e-mail address has as many at most.
pub(super) const LONGEST: usize = name_length::ORGANISATION;

/// The fields of the form as they were typed.
#[derive(Debug, Default)]
pub(super) struct Entries {
    pub(super) organisation: String,
    pub(super) email: String,
    pub(super) invite: String,
}

/// What is wrong with a field, in words for who typed it.
#[derive(Debug, Default)]
pub(super) struct Faults {
    pub(super) organisation: Option<&'static str>,
    pub(super) email: Option<&'static str>,
    pub(super) invite: Option<&'static str>,
}

impl Entries {
    /// Reads a form. A field that is there twice counts once, the last.
    pub(super) fn read(body: &[u8]) -> Self {
        let mut entries = Self::default();
        for (name, value) in form_urlencoded::parse(body) {
            let field = match &*name {
                "organisation" => &mut entries.organisation,
                "email" => &mut entries.email,
                "invite" => &mut entries.invite,
                _ => continue,
            };
            *field = value.into_owned();
        }
        entries
    }

    pub(super) fn faults(&self, registration: &Registration) -> Faults {
        Faults {
            organisation: organisation_fault(self.organisation.trim()),
            email: email_fault(self.email.trim()),
            invite: match registration {
                Registration::Invite(codes) => invite_fault(codes.know(&self.invite), &self.invite),
                Registration::Open | Registration::Closed => None,
            },
        }
    }

    /// Who registers, once nothing is wrong.
    pub(super) fn registrant(&self, asked: &RegistrationRequest) -> Registrant {
        Registrant {
            organisation: self.organisation.trim().to_owned(),
            email: self.email.trim().to_owned(),
            cluster_id: asked.cluster_id.clone(),
            product: asked.product.clone(),
        }
    }
}

impl Faults {
    pub(super) fn is_empty(&self) -> bool {
        self.organisation.is_none() && self.email.is_none() && self.invite.is_none()
    }
}

fn organisation_fault(name: &str) -> Option<&'static str> {
    if name.is_empty() {
        Some("Enter the name of your organisation.")
    } else if name.chars().count() > LONGEST {
        Some("Enter a name of at most 254 characters.")
    } else if name.chars().any(char::is_control) {
        Some("Enter the name on one line.")
    } else {
        None
    }
}

/// What cannot be an address. Whether somebody reads it is not looked at.
fn email_fault(address: &str) -> Option<&'static str> {
    const SHAPE: &str = "Enter an e-mail address such as name@example.com.";
    if address.is_empty() {
        return Some("Enter an e-mail address.");
    }
    if address.chars().count() > LONGEST {
        return Some("Enter an e-mail address of at most 254 characters.");
    }
    let Some((local, domain)) = address.rsplit_once('@') else { return Some(SHAPE) };
    let odd = |c: char| c.is_whitespace() || c.is_control() || "<>,;:\"()[]\\@".contains(c);
    let labels_are_filled = domain.split('.').all(|label| !label.is_empty());
    if local.is_empty() || local.contains(odd) || domain.contains(odd) || !labels_are_filled {
        return Some(SHAPE);
    }
    None
}

fn invite_fault(known: bool, code: &str) -> Option<&'static str> {
    if known {
        None
    } else if code.trim().is_empty() {
        Some("Enter the invite code that you were given.")
    } else {
        Some("This invite code is not known here. Check that it was copied in full.")
    }
}

#[cfg(test)]
mod tests {
    use super::{Entries, email_fault};
    use crate::registration::policy::Registration;

    #[test]
    fn an_address_has_a_name_and_a_host() {
        for address in ["a@b", "first.last+tag@mail.example.com", "ü@exämple.de", "a'b@c.d"] {
            assert_eq!(email_fault(address), None, "{address}");
        }
        for address in [
            "", "a", "@b", "a@", "a@b@c", "a b@c", "a@b c", "a@.b", "a@b.", "a@b..c", "<a@b>",
            "a,b@c",
        ] {
            assert!(email_fault(address).is_some(), "{address}");
        }
        assert!(email_fault(&format!("{}@b.c", "x".repeat(254))).is_some());
    }

    #[test]
    fn each_field_is_looked_at() {
        let entries = Entries::read(b"organisation=+&email=x&invite=wrong&other=1");
        let faults = entries.faults(&Registration::invite(["right"]));
        assert!(faults.organisation.is_some() && faults.email.is_some() && faults.invite.is_some());
        let entries = Entries::read(b"organisation=Example+Inc.&email=a%40b.c&invite=right");
        assert!(entries.faults(&Registration::invite(["right"])).is_empty());
        assert!(entries.faults(&Registration::Open).is_empty());
        let long = Entries { organisation: "x".repeat(255), ..entries };
        assert!(long.faults(&Registration::Open).organisation.is_some());
    }
}
