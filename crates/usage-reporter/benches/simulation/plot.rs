//! The load over time, as a picture.

use std::fmt::Write as _;
use std::ops::Range;
use std::time::Duration;

use crate::HOUR;
use crate::fleet::{BIN, Load, Scenario};
use crate::summary::{Summary, rates};

const WIDTH: f64 = 960.0;
const HEIGHT: f64 = 620.0;

/// Two panels: all of the time on a logarithmic scale, and two days around the outage on a linear
/// one, with the bounds.
pub(crate) fn svg(scenario: &Scenario, load: &Load, summary: &Summary) -> String {
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         font-family=\"sans-serif\" font-size=\"12\" fill=\"#333\">\n\
         <title>Requests per second at the API, in bins of five minutes</title>\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#fff\"/>\n"
    );
    let (from, to) = scenario.outage;
    let whole = Panel {
        title: "Requests per second at the API, all of the time (logarithmic)",
        top: 40.0,
        time: Duration::ZERO..scenario.length,
        ticks: HOUR * 24,
        values: 10.0..3000.0,
        logarithmic: true,
    };
    let around = Panel {
        title: "Around the outage (linear): multiples of the mean, and the bounds",
        top: 350.0,
        time: from.saturating_sub(HOUR * 12)..(to + HOUR * 18).min(scenario.length),
        ticks: HOUR * 6,
        values: 0.0..summary.mean * 5.0,
        logarithmic: false,
    };
    for panel in [&whole, &around] {
        panel.frame(&mut svg, &(from..to));
        panel.line(&mut svg, load);
    }
    let decades = [10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0];
    for value in decades {
        whole.mark(&mut svg, value, &format!("{value}"));
    }
    for (times, name) in [(1.0, "mean"), (1.2, ""), (1.3, "1.3"), (4.5, "4.5")] {
        around.mark(&mut svg, summary.mean * times, name);
    }
    svg.push_str("</svg>\n");
    svg
}

struct Panel {
    title: &'static str,
    top: f64,
    time: Range<Duration>,
    ticks: Duration,
    values: Range<f64>,
    logarithmic: bool,
}

impl Panel {
    const LEFT: f64 = 60.0;
    const RIGHT: f64 = WIDTH - 30.0;
    const TALL: f64 = 220.0;

    fn x(&self, time: Duration) -> f64 {
        let span = self.time.end.saturating_sub(self.time.start).as_secs_f64();
        let part = time.saturating_sub(self.time.start).as_secs_f64() / span;
        Self::LEFT + part * (Self::RIGHT - Self::LEFT)
    }

    fn y(&self, value: f64) -> f64 {
        let scale = |value: f64| if self.logarithmic { value.ln() } else { value };
        let value = value.clamp(self.values.start, self.values.end);
        let span = scale(self.values.end) - scale(self.values.start);
        let part = (scale(value) - scale(self.values.start)) / span;
        self.top + Self::TALL * (1.0 - part)
    }

    /// The outage as a shade, the axes, and the time below.
    fn frame(&self, svg: &mut String, outage: &Range<Duration>) {
        let (left, right) = (self.x(outage.start), self.x(outage.end));
        let (top, tall) = (self.top, Self::TALL);
        let bottom = top + tall;
        add(
            svg,
            format_args!(
                "<rect x=\"{left:.1}\" y=\"{top}\" width=\"{:.1}\" height=\"{tall}\" fill=\"#fde4d8\"/>\n\
             <text x=\"{}\" y=\"{:.1}\" font-weight=\"bold\">{}</text>\n\
             <path d=\"M{} {top}V{bottom}H{}\" fill=\"none\" stroke=\"#333\"/>\n",
                right - left,
                Self::LEFT,
                top - 12.0,
                self.title,
                Self::LEFT,
                Self::RIGHT,
            ),
        );
        let mut time = self.time.start;
        while time <= self.time.end {
            let hours = time.as_secs() / HOUR.as_secs();
            let name = match self.ticks.as_secs() / HOUR.as_secs() {
                24 => format!("day {}", hours / 24),
                _ => format!("hour {hours}"),
            };
            add(
                svg,
                format_args!(
                    "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{name}</text>\n",
                    self.x(time),
                    bottom + 18.0,
                ),
            );
            time += self.ticks;
        }
    }

    /// A value on the axis, and a dashed line across.
    fn mark(&self, svg: &mut String, value: f64, name: &str) {
        let (y, left, right) = (self.y(value), Self::LEFT, Self::RIGHT);
        add(
            svg,
            format_args!(
                "<path d=\"M{left} {y:.1}H{right}\" stroke=\"#888\" stroke-dasharray=\"3 4\"/>\n\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{name}</text>\n",
                left - 6.0,
                y + 4.0,
            ),
        );
    }

    fn line(&self, svg: &mut String, load: &Load) {
        svg.push_str("<polyline fill=\"none\" stroke=\"#1b6ca8\" points=\"");
        let mut time = self.time.start;
        for rate in rates(load, self.time.clone()) {
            add(svg, format_args!("{:.1},{:.1} ", self.x(time + BIN / 2), self.y(rate)));
            time += BIN;
        }
        svg.push_str("\"/>\n");
    }
}

fn add(svg: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string does not fail.
    let _ = svg.write_fmt(text);
}
