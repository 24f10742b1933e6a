//! What an expression of an operator may be: its size, its depth, and what it can read and call. Owns the check of its
//! syntax tree; refuses to evaluate one.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use cel::common::ast::{EntryExpr, Expr, IdedExpr, LiteralValue};
use cel::{Env, Program};

/// A longer expression, in bytes, is refused.
const EXPRESSION_BYTES_MAX: usize = 2_048;
/// Nodes of one expression's syntax tree.
const NODES_MAX: usize = 256;
/// Brackets and conditions within one another; the parser needs the stack for each.
const DEPTH_MAX: usize = 24;
/// Levels of one expression's syntax tree: an evaluation needs the stack for each, a thread has 2 MiB, and
/// nothing catches an overflow. 32 levels need less than 300 kB.
const LEVELS_MAX: usize = 32;
/// What an expression can read.
const VARIABLES: [&str; 5] = ["labels", "annotations", "name", "service", "source"];
/// What an expression can call, besides operators and `has(…)`.
const FUNCTIONS: [&str; 9] = ["contains", "startsWith", "endsWith", "size", "string", "int", "double", "host", "part"];

/// Compiles and checks an expression.
pub(super) fn program(text: &str) -> Result<Program, String> {
    if text.len() > EXPRESSION_BYTES_MAX {
        return Err(format!("expected at most {EXPRESSION_BYTES_MAX} bytes, got {}", text.len()));
    }
    if depth(text) > DEPTH_MAX {
        return Err(format!("line 1: expected at most {DEPTH_MAX} brackets and conditions within one another"));
    }
    let program = environment().compile(text).map_err(|errors| match errors.errors.first() {
        Some(error) => format!("line {}, column {}: {}", error.pos.0, error.pos.1, first_line(&error.msg)),
        None => "expected an expression".to_owned(),
    })?;
    match nodes(program.expression()) {
        None => return Err("line 1: expected an expression without all, exists, filter and map".to_owned()),
        Some((nodes, _)) if nodes > NODES_MAX => {
            return Err(format!("line 1: expected at most {NODES_MAX} parts, got {nodes}"));
        }
        Some((_, depth)) if depth > LEVELS_MAX => {
            return Err(format!("line 1: expected at most {LEVELS_MAX} levels, got {depth}; each + in a row is one"));
        }
        Some(_) => {}
    }
    let references = program.references();
    if let Some(unknown) = references.variables().into_iter().find(|name| !VARIABLES.contains(name)) {
        return Err(at(text, unknown, &format!("expected one of {}, got {unknown:?}", VARIABLES.join(", "))));
    }
    // Operators are functions too, with names that are no words.
    let is_word = |name: &str| name.starts_with(|c: char| c.is_ascii_alphabetic());
    let unknown = references.functions().into_iter().find(|name| is_word(name) && !FUNCTIONS.contains(name));
    if let Some(unknown) = unknown {
        return Err(at(text, unknown, &format!("expected one of {}, got {unknown:?}", FUNCTIONS.join(", "))));
    }
    Ok(program)
}

/// The most levels that a text can have: brackets that are open at once, and all conditions and signs in a row. A
/// bracket in a quotation counts too, which errs on the safe side.
fn depth(text: &str) -> usize {
    let (mut open, mut most, mut conditions, mut signs, mut row) = (0_usize, 0_usize, 0_usize, 0_usize, 0_usize);
    for sign in text.chars() {
        match sign {
            '(' | '[' | '{' => open += 1,
            ')' | ']' | '}' => open = open.saturating_sub(1),
            '?' => conditions += 1,
            _ => {}
        }
        row = match sign {
            '!' | '-' => row + 1,
            sign if sign.is_whitespace() => row,
            _ => 0,
        };
        (most, signs) = (most.max(open), signs.max(row));
    }
    most + conditions + signs
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

/// A message with the line and the column at which a word first stands.
fn at(text: &str, word: &str, message: &str) -> String {
    let before = text.find(word).and_then(|offset| text.get(..offset)).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |rest| rest.chars().count()) + 1;
    format!("line {line}, column {column}: {message}")
}

/// Nodes of an expression and how deep they lie within one another; `None` when it loops.
fn nodes(expression: &IdedExpr) -> Option<(usize, usize)> {
    let all = |parts: &mut dyn Iterator<Item = &IdedExpr>| -> Option<(usize, usize)> {
        let (mut sum, mut deepest) = (1_usize, 0_usize);
        for part in parts {
            let (nodes, depth) = nodes(part)?;
            (sum, deepest) = (sum + nodes, deepest.max(depth));
        }
        Some((sum, deepest + 1))
    };
    match &expression.expr {
        Expr::Comprehension(_) | Expr::Struct(_) => None,
        Expr::Call(call) => all(&mut call.target.iter().map(|target| &**target).chain(&call.args)),
        Expr::List(list) => all(&mut list.elements.iter()),
        Expr::Select(select) => all(&mut std::iter::once(&*select.operand)),
        Expr::Map(map) => {
            let entries = map.entries.iter().filter_map(|entry| match &entry.expr {
                EntryExpr::MapEntry(entry) => Some([&entry.key, &entry.value]),
                EntryExpr::StructField(_) => None,
            });
            all(&mut entries.flatten())
        }
        Expr::Ident(_) | Expr::Literal(_) | Expr::Unspecified => Some((1, 1)),
    }
}

/// Takes in the labels that an expression names.
pub(super) fn labels_of(expression: &IdedExpr, into: &mut BTreeSet<String>) {
    let is_labels = |expression: &IdedExpr| matches!(&expression.expr, Expr::Ident(name) if name == VARIABLES[0]);
    match &expression.expr {
        Expr::Select(select) if is_labels(&select.operand) => {
            into.insert(select.field.clone());
        }
        Expr::Select(select) => labels_of(&select.operand, into),
        Expr::Call(call) => {
            if let [labels, index] = call.args.as_slice()
                && is_labels(labels)
                && let Expr::Literal(LiteralValue::String(name)) = &index.expr
            {
                into.insert(name.inner().to_owned());
            }
            call.target.iter().map(|target| &**target).chain(&call.args).for_each(|part| labels_of(part, into));
        }
        Expr::List(list) => list.elements.iter().for_each(|part| labels_of(part, into)),
        Expr::Map(map) => {
            for entry in &map.entries {
                if let EntryExpr::MapEntry(entry) = &entry.expr {
                    labels_of(&entry.key, into);
                    labels_of(&entry.value, into);
                }
            }
        }
        Expr::Comprehension(_) | Expr::Struct(_) | Expr::Ident(_) | Expr::Literal(_) | Expr::Unspecified => {}
    }
}

/// The functions of the standard, compiled once.
pub(super) fn environment() -> &'static Arc<Env> {
    static ENVIRONMENT: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(Env::stdlib()));
    &ENVIRONMENT
}
