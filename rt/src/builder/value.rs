//! Values as files write them.

use asr_base::Duration;
use asr_kernel::obligation::{Escalate, LeakResponse};
use asr_trace::ClockMode;
use toml::de::{DeTable, DeValue};

/// A value of a parsed file.
pub(super) type Toml<'t> = DeValue<'t>;

/// A type of values.
pub(super) trait Setting: Sized {
    /// How one is written.
    const EXAMPLE: &'static str;

    /// What the file says, or what it should be.
    fn read(value: &Toml<'_>) -> Result<Self, String>;

    /// As a file says it; nothing if there is no value.
    fn show(&self) -> Option<String>;
}

pub(super) fn not(value: &Toml<'_>, wanted: &str) -> String {
    let found = match value {
        DeValue::String(text) => format!("\"{text}\""),
        DeValue::Integer(number) => number.to_string(),
        DeValue::Boolean(value) => value.to_string(),
        other => format!("a {}", other.type_str()),
    };
    format!("{found} is not {wanted}")
}

macro_rules! whole_numbers {
    ($($type:ty)*) => {$(
        impl Setting for $type {
            const EXAMPLE: &'static str = "8";

            fn read(value: &Toml<'_>) -> Result<$type, String> {
                let number = value.as_integer();
                let number = number.and_then(|number| {
                    <$type>::from_str_radix(number.as_str(), number.radix()).ok()
                });
                number.ok_or_else(|| {
                    not(value, &format!("a whole number from 0 to {}", <$type>::MAX))
                })
            }

            fn show(&self) -> Option<String> {
                Some(self.to_string())
            }
        }
    )*};
}

whole_numbers!(u8 u32 usize);

impl Setting for bool {
    const EXAMPLE: &'static str = "true";

    fn read(value: &Toml<'_>) -> Result<bool, String> {
        value.as_bool().ok_or_else(|| not(value, "true or false"))
    }

    fn show(&self) -> Option<String> {
        Some(self.to_string())
    }
}

/// Units of time, longest first.
const UNITS: [(&str, u64); 6] = [
    ("h", 3_600_000_000_000),
    ("min", 60_000_000_000),
    ("s", 1_000_000_000),
    ("ms", 1_000_000),
    ("us", 1_000),
    ("ns", 1),
];

/// A whole number and a unit: "10 s", "50us".
impl Setting for Duration {
    const EXAMPLE: &'static str = "\"10 s\"";

    fn read(value: &Toml<'_>) -> Result<Duration, String> {
        let wanted = || not(value, "a time such as \"10 s\" or \"50 us\"");
        let text = value.as_str().ok_or_else(wanted)?.trim();
        let end = text
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(text.len());
        let (number, unit) = text.split_at(end);
        let unit = UNITS.iter().find(|(name, _)| *name == unit.trim());
        let number: Option<u64> = number.parse().ok();
        let nanos = number
            .zip(unit)
            .and_then(|(number, unit)| number.checked_mul(unit.1));
        nanos.map(Duration::from_nanos).ok_or_else(wanted)
    }

    fn show(&self) -> Option<String> {
        let nanos = asr_base::nanos(*self);
        let unit = UNITS.iter().find(|(_, unit)| nanos.is_multiple_of(*unit));
        let (name, unit) = unit.expect("the last unit is one nanosecond");
        Some(format!("\"{} {name}\"", nanos / unit))
    }
}

macro_rules! names {
    ($type:ident, $example:literal: $($name:literal $value:ident)+) => {
        impl Setting for $type {
            const EXAMPLE: &'static str = concat!("\"", $example, "\"");

            fn read(value: &Toml<'_>) -> Result<$type, String> {
                const NAMES: &[&str] = &[$(concat!("\"", $name, "\"")),+];
                match value.as_str() {
                    $(Some($name) => Ok($type::$value),)+
                    _ => Err(not(value, &format!("one of {}", NAMES.join(", ")))),
                }
            }

            fn show(&self) -> Option<String> {
                match self {
                    $($type::$value => Some(concat!("\"", $name, "\"").to_owned()),)+
                }
            }
        }
    };
}

names!(LeakResponse, "recover": "silent" Silent "log" Log "recover" Recover "panic" Panic);
names!(ClockMode, "hybrid": "lamport" Lamport "vector" Vector "hybrid" Hybrid);

impl Setting for Escalate {
    const EXAMPLE: &'static str = "{ threshold = 3, response = \"panic\" }";

    fn read(value: &Toml<'_>) -> Result<Escalate, String> {
        let wanted = || not(value, &format!("a table such as {}", Escalate::EXAMPLE));
        let table: &DeTable<'_> = value.as_table().ok_or_else(wanted)?;
        let (Some(threshold), Some(response), 2) =
            (table.get("threshold"), table.get("response"), table.len())
        else {
            return Err(wanted());
        };
        Ok(Escalate {
            threshold: u32::read(threshold.get_ref())?.into(),
            response: LeakResponse::read(response.get_ref())?,
        })
    }

    fn show(&self) -> Option<String> {
        let response = self.response.show()?;
        Some(format!(
            "{{ threshold = {}, response = {response} }}",
            self.threshold
        ))
    }
}

/// A value that there may be.
impl<T: Setting> Setting for Option<T> {
    const EXAMPLE: &'static str = T::EXAMPLE;

    fn read(value: &Toml<'_>) -> Result<Option<T>, String> {
        T::read(value).map(Some)
    }

    fn show(&self) -> Option<String> {
        self.as_ref().and_then(T::show)
    }
}
