//! One macro for the closed lists of the doorstep rules, and the pair of languages every text comes in.
//!
//! A list has stable codes for logs and bindings and a wording in both languages, all in one table, so
//! that no screen has to invent words for a rule. Lists that go on the wire live in the protocol crate;
//! these are the phone's own.

/// A text for people, in both languages.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Text {
    /// Chinese.
    pub zh: String,
    /// English.
    pub en: String,
}

impl Text {
    /// Builds a text from its two wordings.
    #[must_use]
    pub fn new(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self {
            zh: zh.into(),
            en: en.into(),
        }
    }
}

/// Declares a list of the phone alone, with its codes read back.
macro_rules! coded {
    (
        $(#[$meta:meta])*
        pub enum $name:ident {
            $( $variant:ident = $code:literal, $zh:literal, $en:literal; )+
        }
    ) => {
        satchel_protocol::word_list! {
            $(#[$meta])*
            pub enum $name {
                $( $variant = $code, $zh, $en; )+
            }
        }

        impl $name {
            /// The entry of a code; case matters.
            #[must_use]
            pub fn from_code(code: &str) -> Option<Self> {
                match code {
                    $( $code => Some(Self::$variant), )+
                    _ => None,
                }
            }
        }
    };
}

pub(crate) use coded;

#[cfg(test)]
mod tests {
    use crate::rules::ruleset::SkipReason;

    #[test]
    fn a_code_leads_back_to_its_entry_and_a_strange_one_to_none() {
        for reason in SkipReason::ALL {
            assert_eq!(SkipReason::from_code(reason.code()), Some(*reason));
            assert_ne!(reason.zh(), reason.en());
        }
        assert_eq!(SkipReason::from_code("device_fault"), None);
    }
}
