//! Pictures of a report, drawn as SVG text by `plotters`. Nothing is drawn that is not in the report or
//! in the tracks behind it.

use super::bootstrap::percentile;
use super::metrics;
use super::study::Tracks;
use crate::domain::{Span, Stamp};
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type DrawResult<'a> = Result<(), DrawingAreaErrorKind<<SVGBackend<'a> as DrawingBackend>::ErrorType>>;

const SIZE: (u32, u32) = (760, 360);
const FONT: &str = "sans-serif";
const INK: RGBColor = RGBColor(60, 60, 60);
const QUIET: RGBColor = RGBColor(160, 160, 160);
const BLUE: RGBColor = RGBColor(0, 114, 178);
const ORANGE: RGBColor = RGBColor(213, 94, 0);
const GREEN: RGBColor = RGBColor(0, 158, 115);
/// Colours of bands, in their order; told apart by the colour-blind too.
const BANDS: [RGBColor; 4] = [BLUE, ORANGE, GREEN, QUIET];

/// A value with its interval.
#[derive(Clone, Debug, PartialEq)]
pub struct IntervalBar {
    /// Text that stands beside the bar.
    pub name: String,
    /// The value itself, inside the interval.
    pub mean: f64,
    /// Lower end of the interval.
    pub lo: f64,
    /// Upper end of the interval.
    pub hi: f64,
    /// Whether it is drawn strongly, as what the picture is about.
    pub strong: bool,
}

/// A band over days: median, and the range of most seeds.
#[derive(Clone, Debug, PartialEq)]
pub struct Band {
    /// Name in the legend.
    pub name: String,
    /// By day: low, median, high.
    pub days: Vec<[f64; 3]>,
}

/// What a band shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shows {
    /// Equity at the target volatility, in decades.
    Equity,
    /// Fall from the highest point, in percent.
    Drawdown,
}

/// An arm's band over seeds: 10 %, median, 90 %.
pub fn band(tracks: &Tracks, arm: usize, name: &str, target_vol: f64, shows: Shows) -> Band {
    let paths: Vec<Vec<f64>> = tracks
        .iter()
        .map(|t| {
            let daily = &t[arm].daily;
            let (equity, falls) = metrics::path(daily, metrics::to_target(daily, target_vol));
            match shows {
                Shows::Equity => equity.iter().map(|e| libm::log10(e.max(1e-3))).collect(),
                Shows::Drawdown => falls.iter().map(|f| -100.0 * f).collect(),
            }
        })
        .collect();
    let days = paths.iter().map(Vec::len).min().unwrap_or(0);
    let one = |d: usize| {
        let mut all: Vec<f64> = paths.iter().map(|p| p[d]).collect();
        [0.1, 0.5, 0.9].map(|p| percentile(&mut all, p))
    };
    Band { name: name.to_owned(), days: (0..days).map(one).collect() }
}

/// Draws a picture; a sentence in its place if it cannot be drawn.
fn picture(size: (u32, u32), draw: impl FnOnce(&Area<'_>) -> bool) -> String {
    let mut svg = String::new();
    let done = {
        let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        area.fill(&WHITE).is_ok() && draw(&area) && area.present().is_ok()
    };
    if done { svg } else { "<p>This picture could not be drawn.</p>".to_owned() }
}

/// The range of values with some room, and zero in it.
fn range(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (low, high) =
        values.filter(|v| v.is_finite()).fold((0.0_f64, 0.0_f64), |(l, h), v| (l.min(v), h.max(v)));
    let room = 0.06 * (high - low).max(0.1);
    (if low < 0.0 { low - room } else { low }, high + room)
}

/// The range of values with some room: a line needs no zero, and steps are small beside it.
fn span(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let ends = |(l, h): (f64, f64), v: f64| (l.min(v), h.max(v));
    let (low, high) = values.filter(|v| v.is_finite()).fold((f64::INFINITY, f64::NEG_INFINITY), ends);
    if low > high {
        return (0.0, 1.0);
    }
    let room = 0.1 * (high - low).max(0.1);
    (low - room, high + room)
}

/// Bars from zero with their intervals, one below the other.
pub fn bars(what: &str, bars: &[IntervalBar]) -> String {
    let height = 90 + 22 * bars.len() as u32;
    picture((SIZE.0, height), |area| draw_bars(area, what, bars).is_ok())
}

fn draw_bars<'a>(area: &Area<'a>, what: &str, bars: &[IntervalBar]) -> DrawResult<'a> {
    let (low, high) = range(bars.iter().flat_map(|b| [b.mean, b.lo, b.hi]));
    let n = bars.len() as f64;
    let mut chart = ChartBuilder::on(area)
        .margin(10)
        .x_label_area_size(36)
        .y_label_area_size(130)
        .build_cartesian_2d(low..high, 0.0..n)?;
    // Axis labels by hand: one a bar, in the middle of it.
    chart
        .configure_mesh()
        .disable_y_mesh()
        .y_labels(0)
        .max_light_lines(2)
        .x_label_formatter(&|x| format!("{:.1}", libm::rint(x * 10.0) / 10.0 + 0.0))
        .x_desc(what)
        .light_line_style(QUIET.mix(0.15))
        .label_style((FONT, 12).into_font().color(&INK))
        .draw()?;
    for (i, bar) in bars.iter().enumerate() {
        let y = n - 1.0 - i as f64;
        let colour = if bar.strong { BLUE } else { QUIET };
        chart.draw_series([Rectangle::new([(0.0, y + 0.2), (bar.mean, y + 0.8)], colour.filled())])?;
        chart.draw_series([PathElement::new([(bar.lo, y + 0.5), (bar.hi, y + 0.5)], INK.stroke_width(2))])?;
        let place = chart.backend_coord(&(low, y + 0.5));
        let (x, y) = area.get_base_pixel();
        let beside = Pos::new(HPos::Right, VPos::Center);
        let style = (FONT, 12).into_font().color(&INK).pos(beside);
        area.draw(&Text::new(bar.name.clone(), (place.0 - x - 8, place.1 - y), style))?;
    }
    chart.draw_series([PathElement::new([(0.0, 0.0), (0.0, n)], INK)])?;
    Ok(())
}

/// A line through points with a band around it; x is the place, labelled by name.
pub fn steps(what: &str, points: &[IntervalBar]) -> String {
    picture(SIZE, |area| draw_steps(area, what, points).is_ok())
}

fn draw_steps<'a>(area: &Area<'a>, what: &str, points: &[IntervalBar]) -> DrawResult<'a> {
    let (low, high) = span(points.iter().flat_map(|b| [b.mean, b.lo, b.hi]));
    let last = points.len().saturating_sub(1).max(1) as f64;
    let mut chart = ChartBuilder::on(area)
        .margin(10)
        .x_label_area_size(40)
        .y_label_area_size(50)
        .build_cartesian_2d(-0.1..last + 0.1, low..high)?;
    let name = |x: &f64| {
        let i = libm::rint(*x);
        let whole = libm::fabs(x - i) < 1e-9 && i >= 0.0;
        points.get(i as usize).filter(|_| whole).map_or_else(String::new, |p| p.name.clone())
    };
    chart
        .configure_mesh()
        .x_labels(points.len() + 2)
        .x_label_formatter(&name)
        .y_label_formatter(&|y| format!("{y:.2}"))
        .x_desc(what)
        .y_desc("Sharpe ratio")
        .disable_x_mesh()
        .max_light_lines(2)
        .light_line_style(QUIET.mix(0.15))
        .label_style((FONT, 12).into_font().color(&INK))
        .draw()?;
    let at = |i: usize| i as f64;
    let lower = points.iter().enumerate().map(|(i, p)| (at(i), p.lo));
    let upper = points.iter().enumerate().rev().map(|(i, p)| (at(i), p.hi));
    chart.draw_series([Polygon::new(lower.chain(upper).collect::<Vec<_>>(), BLUE.mix(0.15).filled())])?;
    let line = points.iter().enumerate().map(|(i, p)| (at(i), p.mean));
    chart.draw_series(LineSeries::new(line.clone(), BLUE.stroke_width(2)))?;
    chart.draw_series(line.map(|p| Circle::new(p, 3, BLUE.filled())))?;
    Ok(())
}

/// A named line with intervals; the names of its points are their places.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedCurve {
    /// Name in the legend.
    pub name: String,
    /// From left to right; all curves of a picture have the same places.
    pub points: Vec<IntervalBar>,
}

/// Lines through the same places, each with a band around it, and zero.
pub fn curves(what: &str, value: &str, curves: &[NamedCurve]) -> String {
    picture(SIZE, |area| draw_curves(area, what, value, curves).is_ok())
}

fn draw_curves<'a>(area: &Area<'a>, what: &str, value: &str, curves: &[NamedCurve]) -> DrawResult<'a> {
    let all = || curves.iter().flat_map(|c| &c.points);
    let (low, high) = range(all().flat_map(|b| [b.mean, b.lo, b.hi]));
    let places = curves.iter().map(|c| c.points.len()).max().unwrap_or(0);
    let last = places.saturating_sub(1).max(1) as f64;
    let mut chart = ChartBuilder::on(area)
        .margin(10)
        .x_label_area_size(40)
        .y_label_area_size(55)
        .build_cartesian_2d(-0.1..last + 0.1, low..high)?;
    let name = |x: &f64| {
        let i = libm::rint(*x);
        let whole = libm::fabs(x - i) < 1e-9 && i >= 0.0;
        let points = curves.first().map_or(&[][..], |c| &c.points);
        points.get(i as usize).filter(|_| whole).map_or_else(String::new, |p| p.name.clone())
    };
    chart
        .configure_mesh()
        .x_labels(places + 2)
        .x_label_formatter(&name)
        .y_label_formatter(&|y| format!("{:.2}", y + 0.0))
        .x_desc(what)
        .y_desc(value)
        .disable_x_mesh()
        .max_light_lines(2)
        .light_line_style(QUIET.mix(0.15))
        .label_style((FONT, 12).into_font().color(&INK))
        .draw()?;
    chart.draw_series([PathElement::new([(-0.1, 0.0), (last + 0.1, 0.0)], INK)])?;
    for (curve, colour) in curves.iter().zip(BANDS.into_iter().cycle()) {
        let places = || curve.points.iter().enumerate().map(|(i, p)| (i as f64, p));
        let lower = places().map(|(x, p)| (x, p.lo));
        let upper = places().rev().map(|(x, p)| (x, p.hi));
        chart
            .draw_series([Polygon::new(lower.chain(upper).collect::<Vec<_>>(), colour.mix(0.1).filled())])?;
        let line = places().map(|(x, p)| (x, p.mean));
        chart
            .draw_series(LineSeries::new(line.clone(), colour.stroke_width(2)))?
            .label(curve.name.clone())
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2)));
        chart.draw_series(line.map(|p| Circle::new(p, 3, colour.filled())))?;
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE.mix(0.8))
        .label_font((FONT, 12).into_font().color(&INK))
        .draw()?;
    Ok(())
}

/// Bands over the days of a run that begins at `from`.
pub fn bands(shows: Shows, from: Stamp, bands: &[Band]) -> String {
    picture(SIZE, |area| draw_bands(area, shows, from, bands).is_ok())
}

fn draw_bands<'a>(area: &Area<'a>, shows: Shows, from: Stamp, bands: &[Band]) -> DrawResult<'a> {
    let (low, high) = range(bands.iter().flat_map(|b| b.days.iter().flatten().copied()));
    let days = bands.iter().map(|b| b.days.len()).max().unwrap_or(1).max(1) as f64;
    let mut chart = ChartBuilder::on(area)
        .margin(10)
        .x_label_area_size(40)
        .y_label_area_size(60)
        .build_cartesian_2d(0.0..days, low..high)?;
    let month = |x: &f64| {
        from.after(Span(Span::DAY.0 * *x as i64)).to_string().get(..7).unwrap_or_default().to_owned()
    };
    let label = |y: &f64| match shows {
        Shows::Equity => format!("{:.2}×", libm::pow(10.0, *y)),
        Shows::Drawdown => format!("{y:.0} %"),
    };
    chart
        .configure_mesh()
        .x_label_formatter(&month)
        .y_label_formatter(&label)
        .max_light_lines(2)
        .light_line_style(QUIET.mix(0.15))
        .label_style((FONT, 12).into_font().color(&INK))
        .draw()?;
    for (i, (band, colour)) in bands.iter().zip(BANDS).enumerate() {
        let width = if i == 0 { 2 } else { 1 };
        let place = |i: usize| i as f64 + 1.0;
        let lower = band.days.iter().enumerate().map(|(i, d)| (place(i), d[0]));
        let upper = band.days.iter().enumerate().rev().map(|(i, d)| (place(i), d[2]));
        chart
            .draw_series([Polygon::new(lower.chain(upper).collect::<Vec<_>>(), colour.mix(0.15).filled())])?;
        chart
            .draw_series(LineSeries::new(
                band.days.iter().enumerate().map(|(i, d)| (place(i), d[1])),
                colour.stroke_width(width),
            ))?
            .label(band.name.clone())
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2)));
    }
    let corner =
        if shows == Shows::Equity { SeriesLabelPosition::UpperLeft } else { SeriesLabelPosition::LowerLeft };
    chart
        .configure_series_labels()
        .position(corner)
        .background_style(WHITE.mix(0.8))
        .label_font((FONT, 12).into_font().color(&INK))
        .draw()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::ArmTrack;

    fn bar(name: &str, mean: f64) -> IntervalBar {
        IntervalBar { name: name.to_owned(), mean, lo: mean - 0.2, hi: mean + 0.2, strong: true }
    }

    #[test]
    fn pictures_carry_their_names_and_values() {
        let all = [bar("alone", -0.4), bar("hive", 1.2)];
        for svg in [bars("Sharpe", &all), steps("λ", &all)] {
            assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"), "{svg}");
            assert!(svg.contains("hive") && svg.contains("alone"));
        }
        assert!(bars("Sharpe", &[]).starts_with("<svg") && steps("λ", &[]).starts_with("<svg"));
        assert_eq!(bars("x", &all), bars("x", &all));
        assert!(!bars("x", &all).contains("-0.0<"), "zero has no sign");
    }

    #[test]
    fn a_band_is_of_seeds_at_equal_volatility() {
        let track =
            |k: f64| ArmTrack { daily: [0.01, -0.01, 0.02].map(|r| k * r).to_vec(), ..ArmTrack::default() };
        let tracks: Tracks = vec![vec![track(1.0)], vec![track(3.0)]];
        let band = band(&tracks, 0, "hive", 0.15, Shows::Drawdown);
        assert_eq!(band.days.len(), 3);
        assert!(band.days[1][0] < 0.0 && (band.days[1][0] - band.days[1][2]).abs() < 1e-9);
        let svg = bands(Shows::Drawdown, Stamp(0), &[band]);
        assert!(svg.contains("hive") && svg.contains("1970-01"), "days are told by their month");
    }
}
