//! The figures that a server tells at `/metrics`, read once. Owns the reading of that text, as far as it is
//! written by a server of ours; refuses to judge what they say.

/// Figures by name, with their labels.
#[derive(Clone, Debug, Default)]
pub(super) struct MetricFigures {
    lines: Vec<MetricFigure>,
}

#[derive(Clone, Debug)]
struct MetricFigure {
    name: String,
    labels: Vec<(String, String)>,
    value: f64,
}

impl MetricFigures {
    /// Reads the text. A line that is no figure is left out.
    pub(super) fn read(text: &str) -> Self {
        Self { lines: text.lines().filter(|line| !line.starts_with('#')).filter_map(figure).collect() }
    }

    /// The value of a figure without labels.
    pub(super) fn value(&self, name: &str) -> Option<f64> {
        self.lines.iter().find(|line| line.name == name && line.labels.is_empty()).map(|line| line.value)
    }

    /// The labels of a figure that tells something by them, and is 1.
    pub(super) fn told(&self, name: &str) -> Option<FigureLabels<'_>> {
        self.all_told(name).next()
    }

    /// The labels of each figure of a name that is 1.
    pub(super) fn all_told<'a>(&'a self, name: &str) -> impl Iterator<Item = FigureLabels<'a>> {
        let told = self.lines.iter().filter(move |line| line.name == name && line.value > 0.0);
        told.map(|line| FigureLabels(&line.labels))
    }
}

/// What the labels of a figure say.
#[derive(Clone, Copy, Debug)]
pub(super) struct FigureLabels<'a>(&'a [(String, String)]);

impl<'a> FigureLabels<'a> {
    /// The value of a label; empty where there is none.
    pub(super) fn label(&self, key: &str) -> &'a str {
        self.0.iter().find(|(known, _)| known == key).map_or("", |(_, value)| value)
    }
}

/// `name{key="value",…} 1.5`.
fn figure(line: &str) -> Option<MetricFigure> {
    let end = line.find(['{', ' '])?;
    let (name, rest) = line.split_at(end);
    let (labels, rest) = if rest.starts_with('{') { labels(rest.get(1..)?)? } else { (Vec::new(), rest) };
    let value = rest.split_whitespace().next()?.parse().ok()?;
    Some(MetricFigure { name: name.to_owned(), labels, value })
}

/// The labels, and what stands behind the brace that ends them.
fn labels(text: &str) -> Option<(Vec<(String, String)>, &str)> {
    let mut labels = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches(',');
        if let Some(behind) = rest.strip_prefix('}') {
            return Some((labels, behind));
        }
        let (key, quoted) = rest.split_once("=\"")?;
        let (value, behind) = quoted_value(quoted)?;
        labels.push((key.to_owned(), value));
        rest = behind;
    }
}

/// A value up to its closing quotation mark, and what stands behind it.
fn quoted_value(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((value, text.get(at + 1..)?)),
            '\\' => match chars.next()?.1 {
                'n' => value.push(' '),
                escaped => value.push(escaped),
            },
            plain => value.push(plain),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read_with_their_labels() {
        let text = "# TYPE a gauge\na 1.5\na_total{kind=\"x\"} 9\n\
                    b{model=\"a \\\"b\\\" {c}, d\",server=\"http://127.0.0.1:8080/v1\"} 1\nc{x=\"y\"} 0\n\
                    broken{x=\"y 1\nnothing\n";
        let figures = MetricFigures::read(text);
        assert_eq!(figures.value("a"), Some(1.5));
        assert_eq!(figures.value("a_total"), None, "that one has labels");
        let told = figures.told("b").map(|told| (told.label("model"), told.label("server"), told.label("none")));
        assert_eq!(told, Some(("a \"b\" {c}, d", "http://127.0.0.1:8080/v1", "")));
        assert!(figures.told("c").is_none(), "0 tells nothing");
        assert!(figures.told("broken").is_none() && figures.value("nothing").is_none());
    }
}
