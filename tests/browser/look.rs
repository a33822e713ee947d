//! What a person sees or hears of the pages: names and roles of their controls, contrast, width.

use serde_json::Value;
use usage_proto::Registration;

use crate::Case;
use crate::applications::Registering;
use crate::site::Site;

pub(crate) const CASES: &[Case] = &[
    ("every control has a role and a name", names_and_roles),
    ("what is wrong is told to who does not see it", told_without_eyes),
    ("everything stands out from its ground in the light", in_the_light),
    ("everything stands out from its ground in the dark", in_the_dark),
    ("a phone needs no scrolling to the side", narrow),
];

/// A page: what it is called here, how the browser gets there, and its controls.
struct Page {
    name: &'static str,
    go: fn(&Site),
    controls: &'static [(&'static str, &'static str)],
}

const PAGES: &[Page] = &[
    Page {
        name: "form",
        go: |site| site.open(&site.registration()),
        controls: &[
            ("textbox", "Organisation"),
            ("textbox", "E-mail address"),
            ("textbox", "Invite code"),
            ("button", "Register"),
        ],
    },
    Page {
        name: "errors",
        go: |site| {
            site.open(&site.registration());
            site.browser.one("#organisation").type_keys("Example Inc.");
            site.browser.one("button").click_through();
        },
        controls: &[
            ("link", "E-mail address"),
            ("link", "Invite code"),
            ("textbox", "Organisation"),
            ("textbox", "E-mail address"),
            ("textbox", "Invite code"),
            ("button", "Register"),
        ],
    },
    Page {
        name: "token",
        go: |site| {
            site.open(&Registration::new("clus1", "chronograf"));
            fill_in(site);
        },
        controls: &[("textbox", "Token")],
    },
    Page {
        name: "link",
        go: |site| {
            let back = "http://[::1]:8888/callback";
            site.open(&Registration::new("clus1", "chronograf").redirect_url(back));
            fill_in(site);
        },
        controls: &[("link", "Continue to the application")],
    },
    Page {
        name: "refusal",
        go: |site| {
            let evil = format!("https://{}.example/", "evil".repeat(15));
            site.open(&Registration::new("clus1", "chronograf").redirect_url(evil));
        },
        controls: &[],
    },
    Page {
        name: "the last page of usagectl register",
        go: |site| {
            let mut registering = Registering::start(site);
            site.browser.open(&registering.url);
            fill_in(site);
            assert!(registering.finish().success());
        },
        controls: &[],
    },
];

const CODE: &str = "summer-of-2026";

/// With an invite code, so that the form has all fields that there are.
fn invited() -> Site {
    Site::with(usage_server::Registration::invite([CODE]))
}

fn fill_in(site: &Site) {
    site.browser.one("#invite").type_keys(CODE);
    site.fill_in();
}

fn names_and_roles() {
    let site = invited();
    for page in PAGES {
        (page.go)(&site);
        let controls: Vec<_> = site
            .browser
            .all("input, textarea, button, a, select, [tabindex], [role=button]")
            .iter()
            .map(|control| (control.role(), control.label()))
            .collect();
        let expected = page.controls.iter().map(|(role, name)| ((*role).into(), (*name).into()));
        assert_eq!(controls, expected.collect::<Vec<(String, String)>>(), "{}", page.name);
        for (selector, role) in [("main", "main"), ("h1", "heading")] {
            assert_eq!(site.browser.one(selector).role(), role, "{}", page.name);
        }
        let language = site.browser.run("return document.documentElement.lang");
        assert_eq!(language.as_str(), Some("en"), "{}", page.name);
        // A finger hits what has 24 pixels (WCAG 2.2, 2.5.8); a link inside of text may be smaller.
        let heights = "return [...document.querySelectorAll('input, textarea, button, .button')]
            .map(it => it.getBoundingClientRect().height)";
        for height in site.browser.run(heights).as_array().unwrap() {
            assert!(height.as_f64().unwrap() >= 24.0, "{}: {height}", page.name);
        }
    }
}

fn told_without_eyes() {
    let site = Site::new();
    site.open(&site.registration());
    site.browser.one("button").click_through();
    assert!(site.browser.title().starts_with("Error: "));
    assert_eq!(site.browser.one("[role=alert]").role(), "alert");
    let described = "const it = document.querySelector('#email');
        return it.ariaInvalid + ' ' + it.getAttribute('aria-describedby').split(' ')
            .map(id => document.getElementById(id).textContent).join(' ')";
    let words = site.browser.run(described);
    assert!(words.as_str().unwrap().starts_with("true Enter an e-mail address."), "{words}");
    // From what is told above to the field that it is about.
    site.browser.one("a[href='#email']").click();
    let focused = site.browser.run("return document.activeElement.id");
    assert_eq!(focused.as_str(), Some("email"));
}

fn in_the_light() {
    stand_out(false);
}

fn in_the_dark() {
    stand_out(true);
}

/// WCAG 2, level AA: 4.5 for text (1.4.3), 3 for the bounds of a control and its focus (1.4.11).
fn stand_out(dark: bool) {
    let site = invited();
    site.browser.prefer_dark(dark);
    for page in PAGES {
        (page.go)(&site);
        let name = page.name;
        for (script, least) in [(TEXT, 4.5), (BOUNDS, 3.0), (FOCUS, 3.0)] {
            let pairs = site.browser.run(&format!("{COLOURS}{script}"));
            let pairs = pairs.as_array().unwrap();
            let expected = if script == TEXT { 2 } else { page.controls.len().min(1) };
            assert!(pairs.len() >= expected, "{name}: there is something: {pairs:?}");
            for pair in pairs {
                let (ink, ground) = (luminance(&pair[1]), luminance(&pair[2]));
                let ratio = (ink.max(ground) + 0.05) / (ink.min(ground) + 0.05);
                assert!(ratio >= least, "{name}, dark: {dark}: {ratio:.2} for {pair}");
            }
        }
        // The style is allowed by the policy: without it the page would be white, or have no frame.
        let body = site.browser.run(&format!("{COLOURS} return [0, ground(document.body)]"));
        let luminance = luminance(&body[1]);
        assert!(if dark { luminance < 0.1 } else { luminance < 1.0 && luminance > 0.8 }, "{name}");
    }
}

/// Colours as three numbers; a colour that lets another one through is not understood.
const COLOURS: &str = r"
    const rgb = text => {
        const [r, g, b, alpha = 1] = text.match(/[\d.]+/g).map(Number);
        if (!text.startsWith('rgb') || alpha !== 1) throw new Error('a colour of an odd kind: ' + text);
        return [r, g, b];
    };
    const ground = it => {
        for (let at = it; at; at = at.parentElement) {
            const colour = getComputedStyle(at).backgroundColor;
            if (colour !== 'rgba(0, 0, 0, 0)') return rgb(colour);
        }
        return [255, 255, 255];
    };
    const controls = [...document.querySelectorAll('input, textarea, button, a')];
";

/// Each element with text of its own: its words, its colour, and the ground that it stands on.
const TEXT: &str = r"
    const hasText = it => [...it.childNodes]
        .some(node => node.nodeType === Node.TEXT_NODE && node.textContent.trim());
    return [...document.body.querySelectorAll('*')]
        .filter(it => hasText(it) || it.matches('input, textarea'))
        .map(it => [it.textContent || it.id, rgb(getComputedStyle(it).color), ground(it)]);
";

/// Each control with bounds, and what is around it. What is only text is found by its text.
const BOUNDS: &str = r"
    return controls.map(it => {
        const style = getComputedStyle(it), around = ground(it.parentElement);
        if (it.matches('input, textarea')) {
            return [it.id, rgb(style.borderTopColor), around];
        }
        const own = ground(it);
        const isText = String(own) === String(around);
        return [it.textContent, isText ? rgb(style.color) : own, around];
    });
";

/// The mark of the focus at each control, and what is around it.
const FOCUS: &str = r"
    return controls.map(it => {
        it.focus();
        const style = getComputedStyle(it);
        const isThere = style.outlineStyle === 'solid' && parseFloat(style.outlineWidth) >= 2;
        const around = ground(it.parentElement);
        return [it.id || it.textContent, isThere ? rgb(style.outlineColor) : around, around];
    });
";

/// WCAG 2: the relative luminance of a colour.
fn luminance(rgb: &Value) -> f64 {
    let part = |index: usize| {
        let value = rgb[index].as_f64().unwrap() / 255.0;
        if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * part(0) + 0.7152 * part(1) + 0.0722 * part(2)
}

/// 320 pixels are what WCAG 2 asks for (1.4.10).
fn narrow() {
    let site = invited();
    site.browser.resize(320, 700);
    let check = |name: &str| {
        let wide = site.browser.run("return document.documentElement.scrollWidth");
        assert!(wide.as_u64().unwrap() <= 320, "{name} is {wide} pixels wide");
    };
    for page in PAGES {
        (page.go)(&site);
        check(page.name);
    }
    let long = "a-name-that-is-far-too-long-for-any-screen-and-has-no-space-in-it".replace('-', "");
    site.open(&Registration::new(&*long, &*long));
    check("a form with long names");
}
