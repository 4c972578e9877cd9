//! The report as a picture: SVG, drawn from the figures of the JSON and nothing else.

use crate::{latency::Latency, report::Report};

const WIDTH: f64 = 760.0;
/// Where bars begin, and how long the longest is.
const LABELS: f64 = 210.0;
const BARS: f64 = 430.0;
const ROW: f64 = 22.0;
const TITLE: f64 = 44.0;
const BLUE: &str = "#3b6ea5";
const GREY: &str = "#9a9a9a";

/// A bar: its label and length, and whether it is the bank's own or the floor beside it.
struct Bar {
    label: String,
    value: f64,
    own: bool,
}

impl Report {
    /// Throughput and latency as horizontal bars; the machine below.
    pub(crate) fn plot(&self) -> String {
        let mut svg = String::new();
        let mut y = panel(
            &mut svg,
            0.0,
            "Transfers a second, from command to notification",
            0,
            &self.rates(),
        );
        y = panel(
            &mut svg,
            y,
            "Latency, from when a command is due, in milliseconds",
            1,
            &self.latencies(),
        );
        let machine = &self.machine;
        let fsync = machine.fsync_ms.map(|ms| format!(", fsync {ms:.2} ms")).unwrap_or_default();
        let (cpu, cores, memory) = (&machine.cpu, machine.cores, machine.memory_mib / 1024);
        let facts = format!("{cpu}, {cores} cores, {memory} GiB{fsync}, {}", machine.measured_at);
        svg.push_str(&text(10.0, y + 20.0, "start", GREY, &facts));
        let height = y + 34.0;
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" \
             font-family=\"sans-serif\" font-size=\"13\">\n\
             <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n{svg}</svg>\n"
        )
    }

    fn rates(&self) -> Vec<Bar> {
        let floor = &self.floor;
        let pgbench = floor.pgbench.as_ref().map(|pgbench| pgbench.transactions_per_second);
        let half_the_bus = floor.bus_limit.map(|bus| bus.messages_per_second / 2.0);
        let rate = |part: &str| self.throughput.get(part).map(|part| part.transfers_per_second);
        let large = self.large.as_ref();
        let shapes = self.shapes.iter().flat_map(|shapes| &shapes.median);
        let shapes =
            shapes.map(|(shape, rate)| (format!("{shape:?}").to_lowercase(), Some(*rate), true));
        let mut bars = vec![
            ("pgbench TPC-B".to_owned(), pgbench, false),
            ("half the bus alone".to_owned(), half_the_bus, false),
            ("one a command".to_owned(), rate("unbatched"), true),
            ("100 a command".to_owned(), rate("batched_100"), true),
            ("1,000 a command".to_owned(), rate("batched_1000"), true),
            ("one, without a past".to_owned(), large.map(|large| large.empty), true),
            ("one, with a past".to_owned(), large.map(|large| large.large), true),
        ];
        bars.extend(shapes.map(|(shape, rate, own)| (format!("one, {shape}"), rate, own)));
        let bars = bars.into_iter();
        bars.filter_map(|(label, value, own)| Some(Bar { label, value: value?, own })).collect()
    }

    fn latencies(&self) -> Vec<Bar> {
        let floor = self.floor.latency_ms().into_iter();
        let floor = floor.map(|floor| Bar { label: "floor".to_owned(), value: floor, own: false });
        floor.chain(self.latency.values().flat_map(latency_bars)).collect()
    }
}

fn latency_bars(latency: &Latency) -> Vec<Bar> {
    let ends = [("event", latency.to_event), ("notification", latency.to_notification)];
    let bars = ends.into_iter().flat_map(|(end, percentiles)| {
        let at = format!("{}/s to {end}", latency.per_second);
        let named = [
            ("p50", percentiles.p50_ms),
            ("p99", percentiles.p99_ms),
            ("p99.9", percentiles.p999_ms),
        ];
        named.map(|(name, value)| Bar { label: format!("{at}, {name}"), value, own: true })
    });
    bars.collect()
}

/// Draws bars below `top`, and returns where they end.
fn panel(svg: &mut String, top: f64, title: &str, digits: usize, bars: &[Bar]) -> f64 {
    svg.push_str(&text(10.0, top + 26.0, "start", "black", title));
    let longest = bars.iter().map(|bar| bar.value).fold(f64::MIN_POSITIVE, f64::max);
    let mut y = top + TITLE;
    for bar in bars {
        let (width, colour) = (bar.value / longest * BARS, if bar.own { BLUE } else { GREY });
        let (height, middle) = (ROW - 6.0, y + 13.0);
        svg.push_str(&text(LABELS - 8.0, middle, "end", "black", &bar.label));
        svg.push_str(&format!(
            "<rect x=\"{LABELS}\" y=\"{y}\" width=\"{width:.1}\" height=\"{height}\" \
             fill=\"{colour}\"/>\n"
        ));
        let value = format!("{:.digits$}", bar.value);
        svg.push_str(&text(LABELS + width + 6.0, middle, "start", "black", &value));
        y += ROW;
    }
    y
}

fn text(x: f64, y: f64, anchor: &str, colour: &str, text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    format!(
        "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" fill=\"{colour}\">{text}</text>\n"
    )
}
