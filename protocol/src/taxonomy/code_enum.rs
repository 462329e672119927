//! One macro for every code list, so that a list is nothing but its table.
//!
//! A list gets its codes, both languages, parsing, serde and CBOR from one place. On the wire a value is
//! always its code as text: a number would tie both sides to the order of a table, and a reader with no
//! software at hand could not tell what was signed.

use thiserror::Error;

/// The longest code any list may have; also what is kept of a code that is not known.
pub(super) const MAX_CODE_CHARS: usize = 40;

/// A code that this build does not know, for example one that a newer peer wrote.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("unknown {list} code {code:?}")]
pub struct UnknownCode {
    list: &'static str,
    code: Box<str>,
}

impl UnknownCode {
    /// Keeps the text only if it looks like a code: anything else could be a person's words, which must
    /// not reach a log through an error.
    pub(crate) fn new(list: &'static str, code: &str) -> Self {
        let is_code = !code.is_empty()
            && code.len() <= MAX_CODE_CHARS
            && code.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        Self {
            list,
            code: if is_code { code.into() } else { "".into() },
        }
    }

    /// The list that was read, such as `Reason`.
    #[must_use]
    pub fn list(&self) -> &'static str {
        self.list
    }

    /// The unknown code, or nothing if the text did not have the form of a code.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }
}

/// Declares a closed list of words: `Variant = "CODE", "中文", "English";` per row. It has its codes and both
/// languages and nothing else; lists that are signed and sent are declared with more.
#[macro_export]
macro_rules! word_list {
    (
        $(#[$meta:meta])*
        pub enum $name:ident {
            $( $variant:ident = $code:literal, $zh:literal, $en:literal; )+
        }
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $( #[doc = concat!($en, " (`", $code, "`, ", $zh, ").")] $variant, )+
        }

        impl $name {
            /// Every entry, in the order in which people are shown the list.
            pub const ALL: &'static [Self] = &[ $( Self::$variant, )+ ];

            /// The stable code, as logs and bindings have it, and as it is stored, signed and sent.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $( Self::$variant => $code, )+ }
            }

            /// The wording for people who read Chinese.
            #[must_use]
            pub const fn zh(self) -> &'static str {
                match self { $( Self::$variant => $zh, )+ }
            }

            /// The wording for people who read English.
            #[must_use]
            pub const fn en(self) -> &'static str {
                match self { $( Self::$variant => $en, )+ }
            }
        }
    };
}

/// Declares a code list that goes on the wire: a [`word_list!`] that reads and writes its codes.
macro_rules! code_enum {
    (
        $(#[$meta:meta])*
        pub enum $name:ident {
            $( $variant:ident = $code:literal, $zh:literal, $en:literal; )+
        }
    ) => {
        $crate::word_list! {
            $(#[$meta])*
            pub enum $name {
                $( $variant = $code, $zh, $en; )+
            }
        }

        impl $name {
            /// The entry of a canonical code. Case matters: there is one spelling.
            ///
            /// # Errors
            /// [`UnknownCode`](crate::taxonomy::UnknownCode) for anything that is not in the list.
            pub fn from_code(code: &str) -> Result<Self, $crate::taxonomy::UnknownCode> {
                match code {
                    $( $code => Ok(Self::$variant), )+
                    other => Err($crate::taxonomy::UnknownCode::new(stringify!($name), other)),
                }
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(self.code())
            }
        }

        impl core::str::FromStr for $name {
            type Err = $crate::taxonomy::UnknownCode;

            fn from_str(code: &str) -> Result<Self, Self::Err> {
                Self::from_code(code)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.serialize_str(self.code())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let code = std::borrow::Cow::<'de, str>::deserialize(d)?;
                Self::from_code(&code).map_err(serde::de::Error::custom)
            }
        }

        impl<C> minicbor::Encode<C> for $name {
            fn encode<W: minicbor::encode::Write>(
                &self,
                e: &mut minicbor::Encoder<W>,
                _: &mut C,
            ) -> Result<(), minicbor::encode::Error<W::Error>> {
                e.str(self.code())?.ok()
            }
        }

        impl<'b, C> minicbor::Decode<'b, C> for $name {
            fn decode(
                d: &mut minicbor::Decoder<'b>,
                _: &mut C,
            ) -> Result<Self, minicbor::decode::Error> {
                let at = d.position();
                Self::from_code(d.str()?).map_err(|e| minicbor::decode::Error::custom(e).at(at))
            }
        }
    };
}

pub(crate) use code_enum;
