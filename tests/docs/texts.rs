//! Blocks of `text`: what programs print, formulas, numbers.

use crate::blocks::Block;
use crate::shell::commands;

/// What a block of text is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Text {
    /// Commands behind `$`, and what each prints.
    Transcript,
    /// What the one command of the block above prints.
    OutputOf(String),
    /// What is printed after the change in the block above, which a script of its document makes.
    OfAChange,
    /// Formulas, or numbers alone.
    Formula,
}

impl Text {
    /// What a block is, by itself and by the block before it in its file.
    ///
    /// Errors: nothing of all that.
    pub fn of(block: &Block, before: Option<&Block>) -> Result<Self, String> {
        let above = before.filter(|before| before.file == block.file);
        if block.text.starts_with("$ ") {
            return Ok(Text::Transcript);
        }
        match above.map(|above| (above.language.as_str(), commands(&above.text))) {
            Some(("sh", commands)) if commands.len() == 1 => return Ok(Text::OutputOf(commands[0].clone())),
            Some(("diff", _)) => return Ok(Text::OfAChange),
            _ => {}
        }
        let mut lines = block.text.lines();
        let has_letters = block.text.contains(|c: char| c.is_alphabetic());
        if !has_letters || lines.any(|line| [" = ", " <- "].iter().any(|sign| line.contains(sign))) {
            return Ok(Text::Formula);
        }
        Err("neither a transcript, nor below the one command or the change whose output it shows, nor a formula".to_owned())
    }
}

#[test]
fn texts_are_told_apart() {
    let block = |language: &str, text: &str| Block {
        file: "x.md".to_owned(),
        line: 1,
        language: language.to_owned(),
        text: text.to_owned(),
        source: None,
    };
    let of = |above: &Block, text: &str| Text::of(&block("text", text), Some(above));
    let (one, two) = (block("sh", "shadegrad devices\n"), block("sh", "a\nb\n"));
    assert_eq!(of(&two, "$ shadegrad devices\nnone\n"), Ok(Text::Transcript));
    assert_eq!(of(&one, "none\n"), Ok(Text::OutputOf("shadegrad devices".to_owned())));
    assert_eq!(of(&block("diff", "-a\n"), "FAIL\n"), Ok(Text::OfAChange));
    assert_eq!(of(&two, "y = max(x, 0)\n"), Ok(Text::Formula));
    assert_eq!(of(&two, "0  0.1 -0.2\n"), Ok(Text::Formula));
    assert!(of(&two, "none\n").is_err());
    let elsewhere = Block { file: "y.md".to_owned(), ..one };
    assert!(of(&elsewhere, "none\n").is_err());
}
