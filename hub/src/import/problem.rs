//! What can be wrong with a file or a row, as types.
//!
//! The text of a problem says what was expected and never what stood there: a row is somebody's
//! name, address and phone number.

use super::model::Field;
use super::{MAX_FILE_BYTES, MAX_ROW_BYTES, MAX_ROWS};

/// Why a whole file was refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ImportError {
    /// Zero bytes, or nothing but white space.
    #[error("the file is empty")]
    Empty,
    /// A header, or an empty list, and nothing under it.
    #[error("the file has no rows")]
    NoRows,
    /// Larger than [`MAX_FILE_BYTES`].
    #[error("the file is larger than {} MiB; split it by day or depot", MAX_FILE_BYTES / 1024 / 1024)]
    TooLarge,
    /// More rows than [`MAX_ROWS`].
    #[error("the file has more than {MAX_ROWS} rows; split it by day or depot")]
    TooManyRows,
    /// A login or error page saved under the name of the export.
    #[error("this is a web page or XML, not a table; was it saved from an expired login?")]
    Html,
    /// An Excel workbook.
    #[error("this is a spreadsheet file; save it as \"CSV UTF-8\" first")]
    Spreadsheet,
    /// Text in an encoding other than UTF-8, seen from its mark or its header.
    #[error("the file is not UTF-8; save it as \"CSV UTF-8\" first")]
    NotUtf8,
    /// The mapping names columns that the file lacks.
    #[error(
        "the file lacks the column(s) {}; it has {columns_found} column(s): are the mapping and the delimiter right?",
        quoted(missing)
    )]
    MissingColumns {
        /// The names as the mapping has them.
        missing: Vec<String>,
        /// How many columns the file has. Their names stay out: without a header they are data.
        columns_found: usize,
    },
    /// The header has a column the mapping uses twice, so it is unclear which is meant.
    #[error("the file has the column {column:?} more than once")]
    DuplicateColumn {
        /// The name as the mapping has it.
        column: String,
    },
    /// Quotes are opened and not closed all over the file.
    #[error("the quotes of this file cannot be followed beyond line {line}")]
    BrokenQuotes {
        /// Where reading gave up.
        line: u64,
    },
    /// Not JSON.
    #[error("not valid JSON at line {line}, column {column}")]
    NotJson {
        /// Line of the fault.
        line: usize,
        /// Column of the fault.
        column: usize,
    },
    /// JSON, but of another shape.
    #[error("expected an array of objects, an object with \"deliveries\", or one object a line")]
    JsonShape,
}

fn quoted(names: &[String]) -> String {
    names
        .iter()
        .map(|name| format!("{name:?}"))
        .collect::<Vec<_>>()
        .join(", ")
}

/// One thing wrong with one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowError {
    /// Where: the line of a CSV or JSON Lines file as an editor counts it (the header is 1), the
    /// place in the list (from 1) of a JSON array.
    pub row: u64,
    /// Which field; `None` when the row as a whole is unreadable.
    pub field: Option<Field>,
    /// What.
    pub problem: RowProblem,
}

impl std::fmt::Display for RowError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.field {
            Some(field) => write!(f, "row {}, {}: {}", self.row, field.name(), self.problem),
            None => write!(f, "row {}: {}", self.row, self.problem),
        }
    }
}

impl RowError {
    /// The same line for a Chinese-speaking dispatcher.
    #[must_use]
    pub fn zh(&self) -> String {
        match self.field {
            Some(field) => format!("第 {} 行,{}:{}", self.row, field.zh(), self.problem.zh()),
            None => format!("第 {} 行:{}", self.row, self.problem.zh()),
        }
    }
}

/// Declares the problems once: variant, stable code, English and Chinese text.
macro_rules! problems {
    ($($(#[$doc:meta])* $name:ident $({ $($(#[$fdoc:meta])* $arg:ident : $ty:ty),+ })? => $code:literal, $en:literal, $zh:literal;)+) => {
        /// What is wrong with a field or a row.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
        pub enum RowProblem {
            $($(#[$doc])* #[error($en)] $name $({ $($(#[$fdoc])* $arg: $ty),+ })?,)+
        }

        impl RowProblem {
            /// A stable word for machines.
            #[must_use]
            pub fn code(&self) -> &'static str {
                match self { $(Self::$name { .. } => $code,)+ }
            }

            /// The problem in Chinese.
            #[must_use]
            pub fn zh(&self) -> String {
                match self { $(Self::$name $({ $($arg),+ })? => format!($zh),)+ }
            }
        }
    };
}

problems! {
    /// A field that must have a value has none.
    Empty => "empty", "is empty", "为空";
    /// The bytes are not UTF-8.
    NotUtf8 => "not_utf8", "is not UTF-8 text", "不是 UTF-8 文本";
    /// A list or an object where one value is wanted.
    WrongType => "wrong_type", "is a list or an object where one value is expected", "应为单个值,却是列表或对象";
    /// Longer than the field may be.
    TooLong {
        /// The most characters.
        max_chars: usize
    } => "too_long", "is longer than {max_chars} characters", "超过 {max_chars} 个字符";
    /// A control character inside a text.
    ControlCharacter => "control_character", "holds a control character", "含有控制字符";
    /// More list items than a delivery may have.
    TooManyItems {
        /// The most items.
        max_items: usize
    } => "too_many_items", "lists more than {max_items} items", "列表超过 {max_items} 项";
    /// Not a finite decimal number.
    NotANumber => "not_a_number", "is not a number", "不是数字";
    /// Outside −90…90.
    LatitudeRange => "latitude_range", "is outside -90…90 degrees; are latitude and longitude swapped?", "超出 -90…90 度;经纬度是否写反?";
    /// Outside −180…180.
    LongitudeRange => "longitude_range", "is outside -180…180 degrees", "超出 -180…180 度";
    /// Exactly 0, 0: how many systems write "no position".
    ZeroPosition => "zero_position", "is 0, 0, which means no position", "坐标为 0, 0,即无定位";
    /// Only one of the depot's two coordinates.
    HalfPosition => "half_position", "has only one of latitude and longitude", "经纬度只有其一";
    /// Does not fit the time format of the mapping.
    NotATime => "not_a_time", "does not fit the time format of the mapping", "不符合映射中的时间格式";
    /// A year no delivery is in.
    YearRange => "year_range", "is outside the years 2000…2099", "不在 2000…2099 年之间";
    /// A window that ends before it begins.
    WindowInverted => "window_inverted", "ends before it begins", "结束早于开始";
    /// A window that was over when the parcel was accepted.
    WindowOver => "window_over", "is over before the parcel was accepted", "在收件之前已结束";
    /// Delivered before accepted.
    DrivenBeforeAccepted => "driven_before_accepted", "is before the parcel was accepted", "早于收件时间";
    /// Not a phone number, masked or not.
    NotAPhone => "not_a_phone", "is not a phone number", "不是电话号码";
    /// Neither yes nor no.
    NotABoolean => "not_a_boolean", "is neither yes nor no", "不是“是”或“否”";
    /// No such promise class.
    UnknownPromise => "unknown_promise", "is not a promise class", "不是已知的时效产品";
    /// No such handling tag.
    UnknownTag => "unknown_tag", "is not a handling tag", "不是已知的操作标签";
    /// No such consent.
    UnknownConsent => "unknown_consent", "is not a handoff a customer can consent to", "不是可由客户同意的交付方式";
    /// No tier a rule set could name.
    NotATier => "not_a_tier", "is not a tier: 1 to 48 of a-z, 0-9, \"-\", \"_\" and \".\"", "不是有效的服务等级";
    /// No age in years.
    NotAnAge => "not_an_age", "is not an age from 1 to 99", "不是 1 至 99 的年龄";
    /// No temperature of a parcel.
    TemperatureRange => "temperature_range", "is outside -100…100 °C", "超出 -100…100 °C";
    /// Only one of the two limits.
    HalfTemperature => "half_temperature", "needs both a coldest and a warmest temperature", "最低与最高温度须同时给出";
    /// The coldest is above the warmest.
    TemperatureInverted => "temperature_inverted", "is above the warmest temperature", "最低温度高于最高温度";
    /// Neither a short nor a long code.
    NotACode => "not_a_code", "is neither 4 to 8 digits nor a code of 16 characters", "不是 4 至 8 位数字,也不是 16 位取件码";
    /// No number of pieces.
    PiecesRange => "pieces_range", "is not a number of pieces from 1 to 10000", "不是 1 至 10000 的件数";
    /// No weight of a parcel.
    WeightRange => "weight_range", "is not a weight from 0 to 10000 kg", "不是 0 至 10000 千克的重量";
    /// No fee of a parcel.
    FeeRange => "fee_range", "is not a fee from 0 to 1000000 yuan", "不是 0 至 1000000 元的资费";
    /// The same waybill a second time.
    DuplicateWaybill {
        /// Where it was first seen.
        first_row: u64
    } => "duplicate_waybill", "was already in row {first_row}", "与第 {first_row} 行重复";
    /// More or fewer cells than the header has.
    CellCount {
        /// Cells in the header.
        expected: usize,
        /// Cells in the row.
        found: usize
    } => "cell_count", "has {found} cells where the header has {expected}", "有 {found} 格,表头有 {expected} 格";
    /// Longer than [`MAX_ROW_BYTES`].
    RowTooLong => "row_too_long", "is longer than {MAX_ROW_BYTES} bytes", "超过 {MAX_ROW_BYTES} 字节";
    /// A quote opens here and swallows the rows that follow.
    UnclosedQuote => "unclosed_quote", "opens a quote and does not close it", "引号未闭合";
    /// A line of JSON Lines that is not JSON.
    NotJson => "not_json", "is not valid JSON", "不是有效的 JSON";
    /// A list element that is not an object.
    NotAnObject => "not_an_object", "is not an object", "不是对象";
}
