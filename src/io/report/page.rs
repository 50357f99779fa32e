//! The page: sections in the order in which a reader asks.

use serde_json::Value;

use super::html::{bar, escaped, table};
use super::images::Image;
use super::layers::LayerView;
use super::{FOLLOWED, RunReport};
use crate::io::run::GENERATOR;
use crate::model::thousands;
use crate::train::ClassFigures;

/// What a browser may load for this page: nothing.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";
/// The darkest shade of a cell of the confusion matrix.
const DARKEST: f64 = 0.6;

/// The whole file.
pub fn html(report: &RunReport<'_>) -> String {
    let name = escaped(&report.run.network.name);
    let sections = [
        ("curves", "Curves", curves(report)),
        ("confusion", "Confusion matrix", confusion(report)),
        ("classes", "Classes", classes(report)),
        ("mistakes", "Most confident mistakes", mistakes(report)),
        ("filters", "Filters of the first convolution", filters(report)),
        ("activations", "One image through the layers", activations(report)),
        ("kernels", "Time per kernel", kernels(report)),
        ("settings", "Settings", settings(report)),
    ];
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

/// The figures that matter most.
fn summary(report: &RunReport<'_>) -> String {
    let mut figures = vec![("Test accuracy", format!("{:.4}", report.figures.accuracy))];
    if let Some(result) = report.result {
        let loss = result.test_loss.map_or("not finite".to_owned(), |loss| format!("{loss:.4}"));
        figures.push(("Test loss", loss));
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
    format!("<dl class=\"figures\">\n{items}</dl>\n{}", device.unwrap_or_default())
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
                plot.svg, plot.title
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

/// A class in a table: its number, and its name if it has one.
fn class(report: &RunReport<'_>, class: usize) -> String {
    match report.run.class_name(class) {
        name if name == class.to_string() => name,
        name => format!("{class} {}", escaped(&name)),
    }
}

fn confusion(report: &RunReport<'_>) -> String {
    let counts = report.figures.confusion.counts();
    let classes = counts.len();
    let wrong = |row: usize, column: usize| if row == column { 0 } else { counts[row][column] };
    let most_wrong =
        (0..classes * classes).map(|at| wrong(at / classes, at % classes)).max().unwrap_or(0).max(1);
    let cell = |row: usize, column: usize| {
        let count = counts[row][column];
        let (kind, part) = if row == column {
            ("right", count as f64 / counts[row].iter().sum::<u64>().max(1) as f64)
        } else {
            ("wrong", (count as f64 / most_wrong as f64).sqrt())
        };
        let faint = if count == 0 { " none" } else { "" };
        format!("<td class=\"{kind}{faint}\" style=\"--shade:{:.2}\">{count}</td>", part * DARKEST)
    };
    let headings: String = (0..classes)
        .map(|column| {
            let name = escaped(&report.run.class_name(column));
            format!("<th scope=\"col\" title=\"{name}\">{column}</th>")
        })
        .collect();
    let rows: String = (0..classes)
        .map(|row| {
            let cells: String = (0..classes).map(|column| cell(row, column)).collect();
            format!("<tr><th scope=\"row\">{}</th>{cells}</tr>\n", class(report, row))
        })
        .collect();
    format!(
        "<p>A row for each true class, a column for each predicted one; {} test images.</p>\n\
         <div class=\"scroll\"><table class=\"matrix\">\n<thead><tr><td></td>{headings}</tr></thead>\n\
         <tbody>\n{rows}</tbody></table></div>\n",
        thousands(report.figures.samples)
    )
}

fn classes(report: &RunReport<'_>) -> String {
    let figures = |name: String, [precision, recall, f1]: [f64; 3], support: usize| {
        let figure = |figure: f64| format!("{figure:.4}");
        vec![name, figure(precision), figure(recall), figure(f1), thousands(support)]
    };
    let row =
        |c: &ClassFigures| figures(class(report, c.class), [c.precision, c.recall, c.f1], c.support as usize);
    let mut rows: Vec<_> = report.figures.classes.iter().map(row).collect();
    let means = report.figures.means;
    rows.push(figures("mean".to_owned(), [means.precision, means.recall, means.f1], report.figures.samples));
    table(&["Class", "Precision", "Recall", "F1", "Samples"], &rows)
}

fn mistakes(report: &RunReport<'_>) -> String {
    if report.mistakes.is_empty() {
        return "<p>There is none: every test image was classified rightly.</p>\n".to_owned();
    }
    let name = |class: usize| escaped(&report.run.class_name(class));
    let figures: String = report
        .mistakes
        .iter()
        .map(|mistake| {
            let (label, predicted) = (name(mistake.label), name(mistake.predicted));
            let alt = format!("test image {}: {label} taken for {predicted}", mistake.index);
            format!(
                "<figure>{}<figcaption><b>{label}</b> taken for <b>{predicted}</b><br>\
                 {:.2} % sure<br><small>image {}</small></figcaption></figure>\n",
                picture(&mistake.image, &alt, 84),
                100.0 * mistake.probability,
                mistake.index
            )
        })
        .collect();
    format!("<div class=\"mistakes\">\n{figures}</div>\n")
}

/// An image, as wide as asked for or as there is room.
fn picture(image: &Image, alt: &str, width: usize) -> String {
    format!("<img src=\"{}\" alt=\"{alt}\" style=\"width:{width}px\">", image.uri)
}

fn layer(view: &LayerView) -> String {
    let (name, caption) = (escaped(&view.name), escaped(&view.caption));
    let image = picture(&view.image, &name, (view.image.width * view.zoom).min(900));
    format!("<figure>{image}<figcaption><b>{name}</b>: {caption}</figcaption></figure>\n")
}

fn filters(report: &RunReport<'_>) -> String {
    match &report.filters {
        Some(view) => layer(view),
        None => "<p>This model has no convolution.</p>\n".to_owned(),
    }
}

fn activations(report: &RunReport<'_>) -> String {
    let label = escaped(&report.run.class_name(report.followed_label));
    let input = picture(&report.followed, &format!("test image {FOLLOWED}"), 140);
    let layers: String = report.activations.iter().map(layer).collect();
    let rows: Vec<_> = report
        .followed_probabilities
        .iter()
        .enumerate()
        .map(|(at, &probability)| {
            vec![class(report, at), format!("{probability:.4}"), bar(probability.into())]
        })
        .collect();
    format!(
        "<figure>{input}<figcaption>Test image {FOLLOWED}, labelled <b>{label}</b></figcaption></figure>\n{layers}\
         <h3>What the model says</h3>\n{}",
        table(&["Class", "Probability", ""], &rows)
    )
}

fn kernels(report: &RunReport<'_>) -> String {
    let Some(profile) = &report.profile else {
        return "<p>Nothing was measured in this run. <code>shadegrad train --profile</code> records how long each \
                kernel takes; <code>shadegrad bench</code> measures without training.</p>\n"
            .to_owned();
    };
    let longest = profile.steps.iter().map(|step| step.ms).fold(0.0, f64::max).max(f64::MIN_POSITIVE);
    let rows: Vec<_> = profile
        .steps
        .iter()
        .map(|step| {
            let [name, kind, variant] = [&step.name, &step.kind, &step.variant].map(|text| escaped(text));
            let share = format!("{:.1} %", 100.0 * step.share);
            let name = format!("{name}<br><small>{kind}, {variant}</small>");
            vec![name, format!("{:.4}", step.ms), share, bar(step.ms / longest)]
        })
        .collect();
    format!(
        "<p>{:.4} ms for a training step of {} images on {}.</p>\n{}",
        profile.step_ms,
        profile.batch_size,
        escaped(&profile.device),
        table(&["Step, kernel", "ms", "Share", ""], &rows)
    )
}

fn settings(report: &RunReport<'_>) -> String {
    let model = format!(
        "<details open><summary>model.toml</summary>\n<pre>{}</pre></details>\n",
        escaped(&report.model_toml)
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
    if let (Some(stopped), Some(row)) = (&result.stopped, rows.iter_mut().find(|row| row[0] == "stopped")) {
        row[1] = escaped(&stopped.to_string());
    }
    format!(
        "{}<details><summary>Kernel of each step</summary>\n{}</details>\n{model}",
        table(&[], &rows),
        table(&["Step", "Variant"], &entries(&value["kernels"]))
    )
}

/// A value of `result.json` as a reader writes it.
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
