//! The page: its sections, in the order in which a reader needs them.

use serde_json::Value;

use super::classes;
use super::contents::{FOLLOWED, Judged, RunReport};
use super::html::{bar, called, escaped, table};
use super::images::Image;
use super::layers::LayerView;
use super::mistakes::Target;
use super::outputs::{self, told};
use super::pixels::pixels;
use crate::io::run::GENERATOR;
use crate::model::thousands;
use crate::train::Judgement;

/// What a browser may load for this page: only what is embedded.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";
/// The most rows of the tables of kernels.
const MOST_KERNELS: usize = 200;
/// The most characters of `model.toml`.
const MOST_TEXT: usize = 100_000;

/// The whole file.
pub fn html(report: &RunReport<'_>) -> String {
    let name = escaped(&report.run.network.name);
    let mut sections = vec![("curves", "Curves", curves(report))];
    sections.extend(match &report.figures {
        Judgement::Classes(found) => vec![
            ("confusion", "Confusion matrix", classes::confusion(report, found)),
            ("classes", "Classes", classes::figures(report, found)),
            ("mistakes", "Most confident mistakes", mistakes(report)),
        ],
        Judgement::Labels(found) => vec![
            ("labels", "Labels", outputs::labels(report, found)),
            ("mistakes", "Largest mistakes", mistakes(report)),
        ],
        Judgement::Values(found) => vec![
            ("outputs", "Errors", outputs::values(report, found)),
            ("mistakes", "Largest errors", mistakes(report)),
        ],
    });
    if let Some(decided) = &report.decided {
        sections.push(("pixels", "Pixels that decided", pixels(report, decided)));
    }
    if let Some(view) = &report.filters {
        sections.push(("filters", "Filters of the first convolution", layer(view)));
    }
    sections.extend([
        ("activations", "One sample through the layers", activations(report)),
        ("kernels", "Time per kernel", kernels(report)),
        ("settings", "Settings", settings(report)),
    ]);
    let links: String =
        sections.iter().map(|(id, title, _)| format!("<a href=\"#{id}\">{title}</a>\n")).collect();
    let body: String = sections
        .iter()
        .map(|(id, title, content)| format!("<section id=\"{id}\">\n<h2>{title}</h2>\n{content}</section>\n"))
        .collect();
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n{GENERATOR} {version}\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{name} - Shadegrad</title>\n<style>\n{style}</style>\n</head>\n<body>\n\
         <header>\n<h1>{name}</h1>\n{summary}<nav>\n{links}</nav>\n</header>\n<main>\n{body}</main>\n</body>\n</html>\n",
        version = env!("CARGO_PKG_VERSION"),
        style = include_str!("style.css"),
        summary = summary(report),
    )
}

/// The most important numbers.
fn summary(report: &RunReport<'_>) -> String {
    let (metric, figure) = report.figures.main();
    let metric = format!("Test {metric}");
    let mut figures = vec![(metric.as_str(), format!("{figure:.4}"))];
    if let Some(result) = report.result {
        if !report.judged.is_other {
            let loss = result.test_loss.map_or("not finite".to_owned(), |loss| format!("{loss:.4}"));
            figures.push(("Test loss", loss));
        }
        figures.push(("Epochs", result.epochs.to_string()));
        figures.push(("Steps", thousands(result.steps)));
        figures.push(("Training time", format!("{:.1} s", result.seconds)));
    }
    figures.push(("Weights", thousands(report.run.network.parameter_count())));
    let items: String = figures
        .iter()
        .map(|(name, figure)| format!("<div><dt>{name}</dt><dd>{figure}</dd></div>\n"))
        .collect();
    let device = report.result.map(|result| format!("<p>Trained on {}</p>\n", escaped(&result.device)));
    format!("<dl class=\"figures\">\n{items}</dl>\n{}{}", device.unwrap_or_default(), judged(report))
}

/// Which images the metrics of this page are of.
fn judged(report: &RunReport<'_>) -> String {
    let Judged { data, is_other } = &report.judged;
    if data.is_empty() {
        return String::new();
    }
    let other = if *is_other {
        ", which are <strong>not the test set that the run was evaluated on</strong>: loss and accuracy in the settings \
         below are those on its own"
    } else {
        ""
    };
    let samples = if report.run.network.input_shape.image().is_some() { "images" } else { "samples" };
    format!("<p>Evaluated on {} test {samples} of {}{other}</p>\n", thousands(report.samples), escaped(data))
}

fn curves(report: &RunReport<'_>) -> String {
    if report.plots.is_empty() {
        return "<p>This folder has no history of a training.</p>\n".to_owned();
    }
    let figures: String = report
        .plots
        .iter()
        .map(|plot| {
            format!(
                "<figure class=\"plot\">\n{}<figcaption>{}</figcaption>\n</figure>\n",
                plot.svg,
                plot.caption()
            )
        })
        .collect();
    let unjudged = report.epochs.iter().all(|epoch| epoch.val_loss.is_none() && epoch.val_accuracy.is_none());
    let hint = if unjudged {
        "<p>There was no validation: <code>train --validation-split 0.1</code> adds its curves.</p>\n"
    } else {
        ""
    };
    format!("<div class=\"plots\">\n{figures}</div>\n{hint}")
}

fn mistakes(report: &RunReport<'_>) -> String {
    if report.mistakes.is_empty() {
        return "<p>There is none: every test sample was predicted correctly.</p>\n".to_owned();
    }
    let figures: String = report
        .mistakes
        .iter()
        .map(|mistake| {
            let (label, predicted) = (told(report, &mistake.target), told(report, &mistake.predicted));
            let sample = if mistake.image.is_some() { "image" } else { "sample" };
            let sample = called(sample, mistake.index, mistake.name.as_deref());
            let alt = format!("test {sample}: {label} taken for {predicted}");
            let by = match mistake.target {
                Target::Class(_) => format!("{:.2} % sure", 100.0 * mistake.by),
                _ => format!("off by {:.4}", mistake.by),
            };
            format!(
                "<figure>{}<figcaption><b>{label}</b> taken for <b>{predicted}</b><br>\
                 {by}<br><small>{sample}</small></figcaption></figure>\n",
                mistake.image.as_ref().map_or(String::new(), |image| picture(image, &alt, 84))
            )
        })
        .collect();
    let reduced = reduced(report.mistakes.iter().filter_map(|mistake| mistake.image.as_ref()));
    format!("{reduced}<div class=\"mistakes\">\n{figures}</div>\n")
}

/// Says so where images are smaller than what they show.
fn reduced<'a>(images: impl Iterator<Item = &'a Image>) -> String {
    match images.map(|image| image.reduced).max() {
        Some(by) if by > 1 => {
            format!("<p>Large pictures are shown smaller, down to 1/{by} of their size.</p>\n")
        }
        _ => String::new(),
    }
}

/// An image, as wide as given or as there is room.
fn picture(image: &Image, alt: &str, width: usize) -> String {
    format!("<img src=\"{}\" alt=\"{alt}\" style=\"width:{width}px\">", image.uri)
}

fn layer(view: &LayerView) -> String {
    let (name, caption) = (escaped(&view.name), escaped(&view.caption));
    let image = picture(&view.image, &name, (view.image.width * view.zoom).min(900));
    format!("<figure>{image}<figcaption><b>{name}</b>: {caption}</figcaption></figure>\n")
}

fn activations(report: &RunReport<'_>) -> String {
    let label = told(report, &report.followed_target);
    let sample = if report.followed.is_some() { "image" } else { "sample" };
    let input = report.followed.as_ref();
    let input = input.map_or(String::new(), |image| picture(image, &format!("test image {FOLLOWED}"), 140));
    let layers: String = report.activations.iter().map(layer).collect();
    let left_out = match report.layers_left_out {
        0 => String::new(),
        more => format!("<p>Pictures of {more} more layers are left out: the page would be too large.</p>\n"),
    };
    let reduced = reduced(report.followed.iter().chain(report.activations.iter().map(|view| &view.image)));
    let said = match &report.figures {
        Judgement::Classes(_) => classes::probabilities(report),
        other => outputs::followed(report, matches!(other, Judgement::Labels(_))),
    };
    format!(
        "{reduced}<figure>{input}<figcaption>Test {}, labelled <b>{label}</b></figcaption></figure>\n\
         {layers}\n{left_out}<h3>What the model says</h3>\n{said}",
        called(sample, FOLLOWED, report.followed_name.as_deref())
    )
}

fn kernels(report: &RunReport<'_>) -> String {
    let Some(profile) = &report.profile else {
        return "<p>Nothing was measured in this run. <code>shadegrad train --profile</code> records how long each \
                kernel takes; <code>shadegrad bench</code> measures without training.</p>\n"
            .to_owned();
    };
    let longest = profile.steps.iter().map(|step| step.ms).fold(0.0, f64::max).max(f64::MIN_POSITIVE);
    let mut steps: Vec<_> = profile.steps.iter().collect();
    let mut of = String::new();
    if steps.len() > MOST_KERNELS {
        of =
            format!(" Of {} kernels these are the {MOST_KERNELS} that take longest.", thousands(steps.len()));
        steps.sort_by(|a, b| b.ms.total_cmp(&a.ms));
        steps.truncate(MOST_KERNELS);
    }
    let rows: Vec<_> = steps
        .iter()
        .map(|step| {
            let [name, kind, variant] = [&step.name, &step.kind, &step.variant].map(|text| escaped(text));
            let share = format!("{:.1} %", 100.0 * step.share);
            let name = format!("{name}<br><small>{kind}, {variant}</small>");
            vec![name, format!("{:.4}", step.ms), share, bar(step.ms / longest)]
        })
        .collect();
    format!(
        "<p>{:.4} ms for a training step of {} images on {}.{of}</p>\n{}",
        profile.step_ms,
        profile.batch_size,
        escaped(&profile.device),
        table(&["Step, kernel", "ms", "Share", ""], &rows)
    )
}

fn settings(report: &RunReport<'_>) -> String {
    let model = format!(
        "<details open><summary>model.toml</summary>\n<pre>{}</pre></details>\n",
        escaped(&beginning(&report.model_toml))
    );
    let Some(result) = report.result else {
        return format!("<p>This folder has no result.json.</p>\n{model}");
    };
    let value = serde_json::to_value(result).unwrap_or_default();
    let entries = |value: &Value| -> Vec<Vec<String>> {
        let fields = value.as_object().into_iter().flatten();
        fields
            .filter(|(key, _)| *key != "kernels")
            .map(|(key, value)| vec![escaped(key), text(value)])
            .collect()
    };
    let mut rows = entries(&value);
    let mut kernels = entries(&value["kernels"]);
    let summary = match kernels.len() {
        few if few <= MOST_KERNELS => "Kernel of each step".to_owned(),
        many => format!("Kernels of the first {MOST_KERNELS} of {} steps", thousands(many)),
    };
    kernels.truncate(MOST_KERNELS);
    if let (Some(stopped), Some(row)) = (&result.stopped, rows.iter_mut().find(|row| row[0] == "stopped")) {
        row[1] = escaped(&stopped.to_string());
    }
    format!(
        "{}<details><summary>{summary}</summary>\n{}</details>\n{model}",
        table(&[], &rows),
        table(&["Step", "Variant"], &kernels)
    )
}

/// A text, whose end is left out where it is very long.
fn beginning(text: &str) -> String {
    match text.char_indices().nth(MOST_TEXT) {
        Some((end, _)) => format!("{}\n# The rest is in the file.\n", &text[..end]),
        None => text.to_owned(),
    }
}

/// A value of `result.json` in readable form.
fn text(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => escaped(text),
        Value::Object(fields) => {
            let fields: Vec<_> =
                fields.iter().map(|(key, value)| format!("{} {}", escaped(key), text(value))).collect();
            fields.join(", ")
        }
        Value::Number(number) if number.is_f64() => format!("{:.4}", number.as_f64().unwrap_or_default()),
        other => escaped(&other.to_string()),
    }
}
