//! Invisible characters: spaces of all widths, and marks that writing systems and word processors
//! leave between letters.

/// A space of any width, or a character without width.
#[must_use]
pub fn is_space(c: char) -> bool {
    c.is_whitespace()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// The text without them at its ends.
#[must_use]
pub fn trim(text: &str) -> &str {
    text.trim_matches(is_space)
}

/// The text without them at all.
#[must_use]
pub fn without_spaces(text: &str) -> String {
    text.chars().filter(|c| !is_space(*c)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_seen_is_trimmed() {
        assert_eq!(trim("\u{feff}\u{200e} a\u{a0}b\u{202f}\t"), "a\u{a0}b");
        assert_eq!(without_spaces("\u{200e}a\u{a0}b\u{ad}c\u{2009}"), "abc");
        assert_eq!(trim("\u{200b} "), "");
    }
}
