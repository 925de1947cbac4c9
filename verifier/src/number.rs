//! How each scheme writes a number, from the number's text.

use crate::canon::Scheme;
use crate::code::Code;

/// Writes the number whose JSON text is `text`; `integer` says that it has neither fraction nor exponent.
pub(crate) fn write(out: &mut Vec<u8>, text: &str, integer: bool, scheme: Scheme) -> Result<(), Code> {
    match scheme {
        Scheme::JcsExactIntegers if integer => exact_integer(out, text),
        Scheme::JcsExactIntegers => return Err(Code::CanonFloat),
        Scheme::PythonSortKeys | Scheme::PythonSortKeysUtf8 if integer => exact_integer(out, text),
        Scheme::PythonSortKeys | Scheme::PythonSortKeysUtf8 => python_repr(out, double(text)),
        Scheme::SerdeJcs01 if integer && fits_64_bits(text) => exact_integer(out, text),
        Scheme::Jcs if integer && is_exact_in_double(text) => exact_integer(out, text),
        Scheme::SerdeJcs01 | Scheme::Jcs => ecmascript(out, double(text))?,
    }
    Ok(())
}

/// Whether the number whose JSON text is `text`, with a fraction or an exponent, is another one than the double that is written for it. To write
/// `1e0` or `1.0` for `1` is another spelling only.
pub(crate) fn is_rounded(text: &str) -> bool {
    let value = double(text);
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = || whole.bytes().chain(fraction.bytes()).filter(u8::is_ascii_digit);
    let leading = digits().take_while(|digit| *digit == b'0').count();
    let mut significant: Vec<u8> = digits().skip(leading).collect();
    let end = significant.iter().rposition(|digit| *digit != b'0').map_or(0, |last| last + 1);
    significant.truncate(end);
    if significant.is_empty() || value == 0.0 || !value.is_finite() {
        return !significant.is_empty();
    }
    let places = whole.bytes().filter(u8::is_ascii_digit).count();
    let point = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let shortest = Shortest::of(value);
    let stated = exponent.parse::<i64>().unwrap_or(0).saturating_add(point(places)) - point(leading);
    significant != shortest.digits() || stated != i64::from(shortest.point)
}

/// JSON integers have one spelling each, but for the negative zero.
fn exact_integer(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(if text == "-0" { b"0" } else { text.as_bytes() });
}

fn fits_64_bits(text: &str) -> bool {
    text.parse::<u64>().is_ok() || text.parse::<i64>().is_ok()
}

/// Fifteen digits always survive a double unchanged.
fn is_exact_in_double(text: &str) -> bool {
    text.len() <= 15
}

fn double(text: &str) -> f64 {
    // The reader has checked the text; Rust rounds correctly and overflows to infinity.
    text.parse().unwrap_or(f64::NAN)
}

/// The shortest decimal digits that give a positive double back, and the place of the decimal point before which they stand: the value
/// is `0.DIGITS * 10^point`. Of two texts of the shortest length that are equally near the even one is taken, as ECMA-262 (note 2,
/// which RFC 8785 section 3.2.2.3 makes binding) and Python take it.
struct Shortest {
    /// At most 17 digits; before they are trimmed there may be zeros at both ends.
    bytes: [u8; 24],
    digits: std::ops::Range<usize>,
    point: i32,
}

impl Shortest {
    fn of(value: f64) -> Self {
        let mut buffer = ryu::Buffer::new();
        let text = buffer.format_finite(value.abs());
        let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let mut bytes = [b'0'; 24];
        for (place, digit) in bytes.iter_mut().zip(whole.bytes().chain(fraction.bytes())) {
            *place = digit;
        }
        let is_not_zero = |byte: &u8| *byte != b'0';
        let start = bytes.iter().position(is_not_zero).unwrap_or(0);
        let end = bytes.iter().rposition(is_not_zero).map_or(1, |last| last + 1);
        let places = |count: usize| i32::try_from(count).unwrap_or(0);
        let point = exponent.parse::<i32>().unwrap_or(0) + places(whole.len()) - places(start);
        Self { bytes, digits: start..end, point }
    }

    fn digits(&self) -> &[u8] {
        self.bytes.get(self.digits.clone()).unwrap_or_default()
    }
}

/// ECMA-262 `Number::toString`, as RFC 8785 section 3.2.2.3 demands.
fn ecmascript(out: &mut Vec<u8>, value: f64) -> Result<(), Code> {
    if !value.is_finite() {
        return Err(Code::CanonNumberRange);
    }
    if value == 0.0 {
        out.push(b'0');
        return Ok(());
    }
    let shortest = Shortest::of(value);
    let (digits, point) = (shortest.digits(), shortest.point);
    if value < 0.0 {
        out.push(b'-');
    }
    if (-5..=21).contains(&point) {
        positional(out, digits, point, false);
    } else {
        exponential(out, digits, point - 1, 1);
    }
    Ok(())
}

/// `repr` of a Python float: exponents below -4 and from 16 on, of at least two digits; always a sign of being a float.
fn python_repr(out: &mut Vec<u8>, value: f64) {
    if value.is_sign_negative() {
        out.push(b'-');
    }
    if value.is_infinite() {
        out.extend_from_slice(b"Infinity");
        return;
    }
    let shortest = Shortest::of(value);
    let (digits, point) = (shortest.digits(), shortest.point);
    if (-3..=16).contains(&point) {
        positional(out, digits, point, true);
    } else {
        exponential(out, digits, point - 1, 2);
    }
}

fn positional(out: &mut Vec<u8>, digits: &[u8], point: i32, always_fraction: bool) {
    let places = usize::try_from(point).unwrap_or(0);
    if point <= 0 {
        out.extend_from_slice(b"0.");
        out.extend(std::iter::repeat_n(b'0', usize::try_from(-point).unwrap_or(0)));
        out.extend_from_slice(digits);
    } else if digits.len() <= places {
        out.extend_from_slice(digits);
        out.extend(std::iter::repeat_n(b'0', places - digits.len()));
        if always_fraction {
            out.extend_from_slice(b".0");
        }
    } else {
        let (whole, fraction) = digits.split_at(places);
        out.extend_from_slice(whole);
        out.push(b'.');
        out.extend_from_slice(fraction);
    }
}

fn exponential(out: &mut Vec<u8>, digits: &[u8], exponent: i32, least_digits: usize) {
    let (first, rest) = digits.split_at(1);
    out.extend_from_slice(first);
    if !rest.is_empty() {
        out.push(b'.');
        out.extend_from_slice(rest);
    }
    out.extend_from_slice(if exponent < 0 { b"e-" } else { b"e+" });
    // Below 400.
    let exponent = exponent.unsigned_abs();
    for (power, one) in [(2, 100), (1, 10), (0, 1)] {
        if exponent >= one || power < least_digits {
            out.push(b'0' + (exponent / one % 10) as u8);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The same from the standard library alone: Rust's shortest form takes the larger of two texts that are equally near, but its
    /// rounding to a given number of digits is to even.
    fn by_the_standard_library(value: f64) -> (String, i32) {
        let shortest = format!("{value:e}");
        let count = shortest.bytes().take_while(|byte| *byte != b'e').filter(u8::is_ascii_digit).count();
        let nearest = format!("{value:.*e}", count - 1);
        // Beside a power of two the nearest text of this length can be that of the neighbour.
        let text = if nearest.parse() == Ok(value) { nearest } else { shortest };
        let (mantissa, exponent) = text.split_once('e').unwrap();
        let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
        (digits.trim_end_matches('0').to_owned(), exponent.parse::<i32>().unwrap() + 1)
    }

    fn agrees(value: f64) -> Result<(), TestCaseError> {
        let shortest = Shortest::of(value);
        let digits = String::from_utf8(shortest.digits().to_vec()).unwrap();
        prop_assert_eq!((digits, shortest.point), by_the_standard_library(value), "{:e}", value);
        Ok(())
    }

    #[test]
    fn a_number_is_rounded_where_its_digits_are_not_those_of_its_double() {
        for text in [
            "0.1000000000000000055511151231257827",
            "0.10000000000000001",
            "1.00000000000000000001",
            "9007199254740993.0",
            "9.007199254740993e15",
            "1e-400",
            "123456789012345678901234567890e0",
        ] {
            assert!(is_rounded(text), "{text}");
            assert!(is_rounded(&format!("-{text}")), "-{text}");
        }
        for text in [
            "0.1",
            "1e0",
            "1.0",
            "-1.50",
            "0.0",
            "-0.0",
            "0e5",
            "1E+2",
            "100.0e-2",
            "0.001e3",
            "9007199254740992.0",
            "5e-324",
            "1.7976931348623157e308",
            "0.30000000000000004",
        ] {
            assert!(!is_rounded(text), "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn the_digits_of_any_double_are_those_of_another_algorithm(bits in 1_u64..0x7FF0_0000_0000_0000) {
            agrees(f64::from_bits(bits))?;
        }

        /// Around 2^50 to 2^70 doubles lie halfway between two texts.
        #[test]
        fn so_are_those_of_doubles_that_lie_halfway(whole in 1_u64 << 46..1 << 53, power in 0..24_i32) {
            agrees(whole as f64 * 2_f64.powi(power - 4))?;
            agrees(2_f64.powi(power + 40))?;
        }

        #[test]
        fn so_are_those_of_short_decimals(digits in 1_u32..100_000, power in -30..30_i32) {
            agrees(format!("{digits}e{power}").parse().unwrap())?;
        }
    }

    fn written(text: &str, scheme: Scheme) -> Result<String, Code> {
        let mut out = Vec::new();
        let integer = !text.contains(['.', 'e', 'E']);
        write(&mut out, text, integer, scheme).map(|()| String::from_utf8(out).unwrap())
    }

    #[test]
    fn ecmascript_notation_changes_at_21_digits_and_at_six_zeros() {
        for (text, expected) in [
            ("1.0", "1"),
            ("1e20", "100000000000000000000"),
            ("1e21", "1e+21"),
            ("0.000001", "0.000001"),
            ("1E-7", "1e-7"),
            ("-0.0", "0"),
            ("-0", "0"),
            ("9007199254740993", "9007199254740992"),
            ("123456789012345680000", "123456789012345680000"),
            ("5e-324", "5e-324"),
            ("-1.5e300", "-1.5e+300"),
        ] {
            assert_eq!(written(text, Scheme::Jcs).as_deref(), Ok(expected), "{text}");
        }
        assert_eq!(written("1e400", Scheme::Jcs), Err(Code::CanonNumberRange));
    }

    /// Exactly halfway between two texts that both lead back to it.
    #[test]
    fn of_two_equally_near_texts_the_even_one_is_written() {
        for (text, expected) in [
            ("1424953923781206.25", "1424953923781206.2"),
            ("-1424953923781206.25", "-1424953923781206.2"),
            ("1424953923781206.75", "1424953923781206.8"),
            ("9007199254740992.0", "9007199254740992"),
            ("9.5367431640625e-7", "9.5367431640625e-7"),
            ("2.2250738585072014e-308", "2.2250738585072014e-308"),
            ("1.7976931348623157e308", "1.7976931348623157e+308"),
        ] {
            for scheme in [Scheme::Jcs, Scheme::SerdeJcs01] {
                assert_eq!(written(text, scheme).as_deref(), Ok(expected), "{text}");
            }
        }
        assert_eq!(
            written("1424953923781206.25", Scheme::PythonSortKeys).as_deref(),
            Ok("1424953923781206.2")
        );
    }

    #[test]
    fn python_writes_floats_as_repr() {
        for (text, expected) in [
            ("1.0", "1.0"),
            ("1e2", "100.0"),
            ("1e-7", "1e-07"),
            ("0.0001", "0.0001"),
            ("0.00001", "1e-05"),
            ("1e16", "1e+16"),
            ("123456789012345.6", "123456789012345.6"),
            ("1e15", "1000000000000000.0"),
            ("-0.0", "-0.0"),
            ("1e400", "Infinity"),
            ("-0", "0"),
            ("1e100", "1e+100"),
        ] {
            assert_eq!(written(text, Scheme::PythonSortKeys).as_deref(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn integers_are_exact_where_the_scheme_says_so() {
        let big = "18446744073709551616";
        assert_eq!(written(big, Scheme::JcsExactIntegers).as_deref(), Ok(big));
        assert_eq!(written(big, Scheme::SerdeJcs01).as_deref(), Ok("18446744073709552000"));
        assert_eq!(
            written("-9223372036854775808", Scheme::SerdeJcs01).as_deref(),
            Ok("-9223372036854775808")
        );
        assert_eq!(written("1.5", Scheme::JcsExactIntegers), Err(Code::CanonFloat));
    }
}
