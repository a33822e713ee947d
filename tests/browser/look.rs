//! What a person sees or hears of the page: names and roles of its controls, contrast, width.

use serde_json::Value;
use testkit::webdriver::Browser;
use usage_proto::Registration;

use crate::Case;
use crate::site::Site;

pub(crate) const CASES: &[Case] = &[
    ("every control has a role and a name", names_and_roles),
    ("text stands out from its ground, light and dark", contrast),
    ("a phone needs no scrolling to the side", narrow),
];

fn names_and_roles() {
    let site = Site::new();
    site.open(&site.registration());
    let controls: Vec<_> = site
        .browser
        .all("input, button, a")
        .iter()
        .map(|control| (control.role(), control.label()))
        .collect();
    let expected =
        [("textbox", "Organisation"), ("textbox", "E-mail address"), ("button", "Register")];
    assert_eq!(controls, expected.map(|(role, name)| (role.to_owned(), name.to_owned())));
    assert_eq!(site.browser.run("return document.documentElement.lang").as_str(), Some("en"));
    // What is wrong is told at once to who does not see it, and with its field.
    site.browser.one("button").click();
    assert_eq!(site.browser.one("[role=alert]").role(), "alert");
    let described = "const field = document.querySelector('#email');
        return field.getAttribute('aria-describedby').split(' ')
            .map(id => document.getElementById(id).textContent).join(' ')";
    let words = site.browser.run(described);
    assert!(words.as_str().unwrap().contains("Enter an e-mail address."), "{words}");
}

/// WCAG 2, level AA: 4.5 for text.
const LEAST: f64 = 4.5;

fn contrast() {
    let site = Site::new();
    for dark in [false, true] {
        site.browser.prefer_dark(dark);
        site.open(&site.registration());
        check_contrast(&site.browser, dark);
        site.browser.one("button").click();
        check_contrast(&site.browser, dark);
        site.open(&Registration::new("clus1", "chronograf"));
        site.browser.one("#organisation").type_keys("Example Inc.");
        site.browser.one("#email").type_keys("name@example.com");
        site.browser.one("button").click();
        check_contrast(&site.browser, dark);
    }
}

fn check_contrast(browser: &Browser, dark: bool) {
    let pairs = browser.run(PAIRS);
    let pairs = pairs.as_array().unwrap();
    assert!(pairs.len() > 3, "there is text: {pairs:?}");
    for pair in pairs {
        let (ink, ground) = (luminance(&pair[1]), luminance(&pair[2]));
        let ratio = (ink.max(ground) + 0.05) / (ink.min(ground) + 0.05);
        assert!(ratio >= LEAST, "{ratio:.2} for {pair}, dark: {dark}");
    }
    // The style is allowed by the policy: without it the page would be black on white.
    let ground = luminance(&browser.run(
        "return rgb(document.body); function rgb(e) {
        return getComputedStyle(e).backgroundColor.match(/[\\d.]+/g).map(Number) }",
    ));
    assert_eq!(ground < 0.1, dark, "{ground}");
}

/// Each element with text of its own: its words, its colour, and the ground that it stands on.
const PAIRS: &str = r"
    const rgb = text => text.match(/[\d.]+/g).map(Number);
    const ground = element => {
        for (let at = element; at; at = at.parentElement) {
            const [r, g, b, alpha = 1] = rgb(getComputedStyle(at).backgroundColor);
            if (alpha === 1) return [r, g, b];
        }
        return [255, 255, 255];
    };
    const has_text = element => [...element.childNodes]
        .some(node => node.nodeType === Node.TEXT_NODE && node.textContent.trim());
    return [...document.body.querySelectorAll('*')]
        .filter(element => has_text(element) || element.matches('input'))
        .map(element => [element.textContent, rgb(getComputedStyle(element).color), ground(element)]);
";

/// WCAG 2: the relative luminance of a colour.
fn luminance(rgb: &Value) -> f64 {
    let part = |index: usize| {
        let value = rgb[index].as_f64().unwrap() / 255.0;
        if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * part(0) + 0.7152 * part(1) + 0.0722 * part(2)
}

fn narrow() {
    let site = Site::new();
    site.browser.resize(320, 700);
    let long = "a-cluster-with-a-name-that-is-far-too-long-for-any-screen-and-has-no-space-in-it";
    for registration in [site.registration(), Registration::new(long, "chronograf")] {
        site.open(&registration);
        let wide = site.browser.run("return document.documentElement.scrollWidth");
        assert!(wide.as_u64().unwrap() <= 320, "the page is {wide} pixels wide");
    }
}
