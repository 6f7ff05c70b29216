//! Parquet and Feather: tables kept by columns. What they are is looked at as the lines that every other table is, so that there is one
//! way to know a market; their rows are read by columns, those alone that are wanted. Moments become nanoseconds since 1970 whatever
//! their unit and zone; numbers are written so that they are read back to the bit.

use crate::market::source::{ColumnBatch, ColumnBatches, ColumnValues};
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, new_null_array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type, SchemaRef, TimeUnit, TimestampNanosecondType};
use arrow::error::ArrowError;
use arrow::ipc::reader::FileReader;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::Compression;
use parquet::file::metadata::{ColumnChunkMetaData, RowGroupMetaData};
use std::fs::File;
use std::io::{self, BufReader, Read, Write as _};
use std::path::Path;

/// Rows that are unpacked at once.
const BATCH: usize = 8_192;

/// How a table is kept by columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ColumnarKind {
    Parquet,
    Feather,
}

impl ColumnarKind {
    /// By the first bytes of a file.
    pub fn of(head: &[u8]) -> Option<ColumnarKind> {
        if head.starts_with(b"PAR1") {
            Some(ColumnarKind::Parquet)
        } else if head.starts_with(b"ARROW1") {
            Some(ColumnarKind::Feather)
        } else {
            None
        }
    }

    /// All of its columns, or these.
    fn batches(self, path: &Path, wanted: Option<&[usize]>) -> io::Result<(SchemaRef, Batches)> {
        let file = File::open(path)?;
        Ok(match self {
            ColumnarKind::Parquet => {
                let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(wrong)?;
                let schema = builder.schema().clone();
                let chunks = builder.metadata().row_groups().iter().flat_map(RowGroupMetaData::columns);
                if let Some(other) = chunks
                    .map(ColumnChunkMetaData::compression)
                    .find(|c| matches!(c, Compression::BROTLI(_) | Compression::LZO))
                {
                    return Err(wrong(format!(
                        "it is packed with {other}; write it with snappy, zstd, gzip or LZ4"
                    )));
                }
                let mask = match wanted {
                    Some(wanted) => ProjectionMask::roots(builder.parquet_schema(), wanted.iter().copied()),
                    None => ProjectionMask::all(),
                };
                let builder = builder.with_projection(mask).with_batch_size(BATCH);
                (schema, Box::new(builder.build().map_err(wrong)?))
            }
            ColumnarKind::Feather => {
                let file = BufReader::new(file);
                let schema = FileReader::try_new(file, None).map_err(wrong)?.schema();
                let file = BufReader::new(File::open(path)?);
                (schema, Box::new(FileReader::try_new(file, wanted.map(<[usize]>::to_vec)).map_err(wrong)?))
            }
        })
    }

    /// The values of these columns.
    pub fn columns(self, path: &Path, wanted: &[usize]) -> io::Result<ColumnBatches> {
        let mut wanted = wanted.to_vec();
        wanted.sort_unstable();
        wanted.dedup();
        let (schema, batches) = self.batches(path, Some(&wanted))?;
        let width = schema.fields().len();
        Ok(Box::new(batches.map(move |batch| {
            let batch = batch.map_err(wrong)?;
            let mut columns: Vec<ColumnValues> = (0..width).map(|_| ColumnValues::Unread).collect();
            for (at, column) in wanted.iter().zip(batch.columns()) {
                columns[*at] = values(column)?;
            }
            Ok(ColumnBatch { rows: batch.num_rows(), columns })
        })))
    }

    /// Its rows as lines, below a line of names.
    pub fn open(self, path: &Path) -> io::Result<ColumnarLines> {
        let (schema, batches) = self.batches(path, None)?;
        let mut text = Vec::new();
        for (n, field) in schema.fields().iter().enumerate() {
            let is_moment = matches!(field.data_type(), DataType::Timestamp(..));
            // The index of a table of pandas that has no name of its own.
            let unnamed = field.name().is_empty() || field.name().starts_with("__index_level_");
            let name = if unnamed && is_moment { "timestamp" } else { field.name() };
            let plain: String = name.chars().filter(|c| !matches!(c, ',' | '"' | '\n' | '\r')).collect();
            text.extend_from_slice(if n > 0 { b"," } else { b"" });
            text.extend_from_slice(plain.as_bytes());
        }
        text.push(b'\n');
        Ok(ColumnarLines { batches, text, done: 0 })
    }
}

type Batches = Box<dyn Iterator<Item = Result<RecordBatch, ArrowError>> + Send>;

fn wrong(e: impl std::fmt::Display) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, e.to_string())
}

/// The lines of such a file.
pub(super) struct ColumnarLines {
    batches: Batches,
    text: Vec<u8>,
    /// Bytes of the text that were passed on.
    done: usize,
}

impl Read for ColumnarLines {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.done == self.text.len() {
            let Some(batch) = self.batches.next() else { return Ok(0) };
            self.text.clear();
            self.done = 0;
            lines(&batch.map_err(wrong)?, &mut self.text)?;
        }
        let n = into.len().min(self.text.len() - self.done);
        into[..n].copy_from_slice(&self.text[self.done..self.done + n]);
        self.done += n;
        Ok(n)
    }
}

/// A column as it is read.
fn values(column: &ArrayRef) -> io::Result<ColumnValues> {
    if column.data_type().is_nested() {
        return Ok(ColumnValues::Unread);
    }
    let column = &cast(column, &written(column.data_type())).map_err(wrong)?;
    let wholes = |all: &[i64]| -> Vec<i64> {
        match column.nulls() {
            Some(nulls) => {
                all.iter().zip(nulls).map(|(v, there)| if there { *v } else { i64::MIN }).collect()
            }
            None => all.to_vec(),
        }
    };
    Ok(match column.data_type() {
        DataType::Float64 => {
            let all = column.as_primitive::<Float64Type>().values();
            ColumnValues::Numbers(match column.nulls() {
                Some(nulls) => {
                    all.iter().zip(nulls).map(|(v, there)| if there { *v } else { f64::NAN }).collect()
                }
                None => all.to_vec(),
            })
        }
        DataType::Int64 => ColumnValues::Whole(wholes(column.as_primitive::<Int64Type>().values())),
        DataType::Timestamp(..) => {
            ColumnValues::Moments(wholes(column.as_primitive::<TimestampNanosecondType>().values()))
        }
        _ => {
            let (mut text, mut ends) = (Vec::new(), Vec::with_capacity(column.len()));
            for one in column.as_string::<i32>() {
                text.extend_from_slice(one.unwrap_or_default().as_bytes());
                ends.push(u32::try_from(text.len()).map_err(wrong)?);
            }
            ColumnValues::Texts(text, ends)
        }
    })
}

/// A column as it is written.
enum ColumnCells<'a> {
    Number(&'a arrow::array::Float64Array),
    Whole(&'a arrow::array::Int64Array),
    Moment(&'a arrow::array::TimestampNanosecondArray),
    Text(&'a arrow::array::StringArray),
}

fn lines(batch: &RecordBatch, out: &mut Vec<u8>) -> io::Result<()> {
    let columns: Vec<_> = batch
        .columns()
        .iter()
        .map(|c| {
            // Lists and records are no cells of a market's table; they are left empty.
            if c.data_type().is_nested() {
                return Ok(new_null_array(&DataType::Utf8, c.len()));
            }
            cast(c, &written(c.data_type())).map_err(wrong)
        })
        .collect::<Result<_, _>>()?;
    let cells: Vec<ColumnCells<'_>> = columns
        .iter()
        .map(|c| match c.data_type() {
            DataType::Float64 => ColumnCells::Number(c.as_primitive::<Float64Type>()),
            DataType::Int64 => ColumnCells::Whole(c.as_primitive::<Int64Type>()),
            DataType::Timestamp(..) => ColumnCells::Moment(c.as_primitive::<TimestampNanosecondType>()),
            _ => ColumnCells::Text(c.as_string::<i32>()),
        })
        .collect();
    for row in 0..batch.num_rows() {
        for (n, (column, cells)) in columns.iter().zip(&cells).enumerate() {
            out.extend_from_slice(if n > 0 { b"," } else { b"" });
            if column.is_null(row) {
                continue;
            }
            match cells {
                ColumnCells::Number(of) => write!(out, "{}", of.value(row))?,
                ColumnCells::Whole(of) => write!(out, "{}", of.value(row))?,
                ColumnCells::Moment(of) => write!(out, "{}", of.value(row))?,
                ColumnCells::Text(of) => {
                    let plain = of.value(row).bytes().filter(|b| !matches!(b, b',' | b'"' | b'\n' | b'\r'));
                    out.extend(plain);
                }
            }
        }
        out.push(b'\n');
    }
    Ok(())
}

/// What a type is written as.
fn written(of: &DataType) -> DataType {
    match of {
        DataType::Timestamp(_, zone) => DataType::Timestamp(TimeUnit::Nanosecond, zone.clone()),
        DataType::Date32 | DataType::Date64 => DataType::Timestamp(TimeUnit::Nanosecond, None),
        whole
            if whole.is_signed_integer()
                || matches!(whole, DataType::UInt8 | DataType::UInt16 | DataType::UInt32) =>
        {
            DataType::Int64
        }
        number if number.is_numeric() => DataType::Float64,
        _ => DataType::Utf8,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Span;
    use crate::market::history::{self, HistorySettings};
    use crate::market::{Choices, Feed};
    use arrow::array::{
        Date32Array, Float32Array, TimestampMicrosecondArray, TimestampNanosecondArray, TimestampSecondArray,
    };
    use arrow::array::{Float64Array, Int64Array, StringArray, TimestampMillisecondArray};
    use arrow::ipc::CompressionType;
    use arrow::ipc::writer::{FileWriter, IpcWriteOptions};
    use parquet::arrow::ArrowWriter;
    use parquet::basic::ZstdLevel;
    use parquet::file::properties::WriterProperties;
    use std::sync::Arc;

    fn table(times: ArrayRef) -> RecordBatch {
        let text: ArrayRef = Arc::new(StringArray::from(vec![Some("BTC/USDT"), None]));
        let prices: ArrayRef = Arc::new(Float64Array::from(vec![0.1 + 0.2, 1e-9]));
        let small: ArrayRef = Arc::new(Float32Array::from(vec![0.5, 2.0]));
        let counts: ArrayRef = Arc::new(Int64Array::from(vec![7, -1]));
        RecordBatch::try_from_iter_with_nullable([
            ("__index_level_0__", times, false),
            ("symbol", text, true),
            ("close", prices, false),
            ("vol", small, false),
            ("n", counts, false),
        ])
        .unwrap()
    }

    fn read(kind: ColumnarKind, path: &Path) -> String {
        let mut text = String::new();
        kind.open(path).unwrap().read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn moments_of_every_unit_and_numbers_to_the_bit_are_lines_whatever_the_packing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        let s = 1_704_067_200_i64;
        let zone = |a: TimestampMillisecondArray| a.with_timezone("+05:00");
        let times: Vec<ArrayRef> = vec![
            Arc::new(TimestampSecondArray::from(vec![s, s + 86_400])),
            Arc::new(TimestampMillisecondArray::from(vec![s * 1_000, (s + 86_400) * 1_000])),
            Arc::new(TimestampMicrosecondArray::from(vec![s * 1_000_000, (s + 86_400) * 1_000_000])),
            Arc::new(TimestampNanosecondArray::from(vec![s * 1_000_000_000, (s + 86_400) * 1_000_000_000])),
            Arc::new(zone(TimestampMillisecondArray::from(vec![s * 1_000, (s + 86_400) * 1_000]))),
        ];
        let right = "timestamp,symbol,close,vol,n\n1704067200000000000,BTC/USDT,0.30000000000000004,0.5,7\n\
                     1704153600000000000,,0.000000001,2,-1\n";
        let packings = [
            Compression::UNCOMPRESSED,
            Compression::SNAPPY,
            Compression::LZ4_RAW,
            Compression::GZIP(parquet::basic::GzipLevel::default()),
            Compression::ZSTD(ZstdLevel::default()),
        ];
        for times in times {
            let batch = table(times);
            for packing in packings {
                let set = WriterProperties::builder().set_compression(packing).build();
                let mut out =
                    ArrowWriter::try_new(File::create(&path).unwrap(), batch.schema(), Some(set)).unwrap();
                out.write(&batch).unwrap();
                out.close().unwrap();
                assert_eq!(ColumnarKind::of(&std::fs::read(&path).unwrap()), Some(ColumnarKind::Parquet));
                assert_eq!(read(ColumnarKind::Parquet, &path), right, "{packing:?}");
            }
            for packing in [None, Some(CompressionType::LZ4_FRAME), Some(CompressionType::ZSTD)] {
                let set = IpcWriteOptions::default().try_with_compression(packing).unwrap();
                let mut out =
                    FileWriter::try_new_with_options(File::create(&path).unwrap(), &batch.schema(), set)
                        .unwrap();
                out.write(&batch).unwrap();
                out.finish().unwrap();
                assert_eq!(ColumnarKind::of(&std::fs::read(&path).unwrap()), Some(ColumnarKind::Feather));
                assert_eq!(read(ColumnarKind::Feather, &path), right, "{packing:?}");
            }
        }
        let days: ArrayRef = Arc::new(Date32Array::from(vec![19_723, 19_724]));
        let batch = RecordBatch::try_from_iter([("date", days)]).unwrap();
        let mut text = Vec::new();
        lines(&batch, &mut text).unwrap();
        assert_eq!(String::from_utf8(text).unwrap(), "1704067200000000000\n1704153600000000000\n");
    }

    /// What a file is as a market: its hash, and all that is told.
    fn market(path: &Path) -> (String, Vec<crate::domain::Event>) {
        let data = crate::runtime::files::open_data(path, &Choices::default()).unwrap();
        let settings =
            HistorySettings { name: "x".to_owned(), clock: Span::HOUR, ..HistorySettings::default() };
        let mut feed = history::open(&settings, data.sources, None, Box::new(Vec::new())).unwrap();
        let events = std::iter::from_fn(|| feed.next().unwrap()).collect();
        (feed.info().data_hash.clone(), events)
    }

    #[test]
    fn a_market_by_columns_is_the_market_by_lines() {
        let dir = tempfile::tempdir().unwrap();
        let hours = || (0..3_000_i64).flat_map(|h| [(h, "BTCUSDT", 42e3), (h, "ETHUSDT", 2e3)]);
        let open = |h: i64, p: f64| p + (h % 37) as f64 * 0.37;
        let column = |of: &dyn Fn(i64, f64) -> f64| -> ArrayRef {
            // A price is missing now and then, and a volume.
            Arc::new(hours().map(|(h, _, p)| (h % 501 != 7).then(|| of(h, p))).collect::<Float64Array>())
        };
        let ms = hours().map(|(h, ..)| 1_704_067_200_000 + h * 3_600_000).collect::<Vec<_>>();
        let seconds: ArrayRef = Arc::new(Int64Array::from(ms.iter().map(|t| t / 1_000).collect::<Vec<_>>()));
        let symbols: ArrayRef = Arc::new(hours().map(|(_, s, _)| Some(s)).collect::<StringArray>());
        let zoned: ArrayRef = Arc::new(TimestampMillisecondArray::from(ms.clone()).with_timezone("+02:00"));
        let written: ArrayRef = Arc::new(
            ms.iter().map(|t| Some(crate::domain::Stamp(t * 1_000_000).to_string())).collect::<StringArray>(),
        );
        let kinds =
            arrow::datatypes::DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
        let named: ArrayRef = cast(&symbols, &kinds).unwrap();
        let counts: ArrayRef = Arc::new(hours().map(|(h, ..)| Some(7 + h % 9)).collect::<Int64Array>());
        let mut markets = Vec::new();
        for (times, symbols) in [(&zoned, &named), (&seconds, &symbols), (&written, &symbols)] {
            let batch = RecordBatch::try_from_iter_with_nullable([
                // What nobody asks for is not read.
                ("trades", Arc::clone(&counts), true),
                ("volume", Arc::clone(&counts), true),
                ("close", column(&|h, p| open(h, p) + 0.1), true),
                ("low", column(&|h, p| open(h, p) - 1.0), true),
                ("high", column(&|h, p| open(h, p) + 1.0), true),
                ("open", column(&open), true),
                ("timestamp", Arc::clone(times), true),
                ("symbol", Arc::clone(symbols), true),
            ])
            .unwrap();
            let (parquet, feather) = (dir.path().join("x_1h.parquet"), dir.path().join("x_1h.feather"));
            let mut out =
                ArrowWriter::try_new(File::create(&parquet).unwrap(), batch.schema(), None).unwrap();
            out.write(&batch).unwrap();
            out.close().unwrap();
            let mut out = FileWriter::try_new(File::create(&feather).unwrap(), &batch.schema()).unwrap();
            out.write(&batch).unwrap();
            out.finish().unwrap();
            let mut text = String::new();
            ColumnarKind::Parquet.open(&parquet).unwrap().read_to_string(&mut text).unwrap();
            let csv = dir.path().join("x_1h.csv");
            std::fs::write(&csv, text).unwrap();
            markets.extend([parquet, feather, csv].map(|path| market(&path)));
        }
        assert!(markets[0].1.len() > 8_000, "{}", markets[0].1.len());
        for other in &markets[1..] {
            assert_eq!(other.0, markets[0].0);
            assert!(other.1 == markets[0].1);
        }
    }

    #[test]
    fn a_damaged_file_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        for (kind, bytes) in [
            (ColumnarKind::Parquet, &b"PAR1 and nothing else PAR1"[..]),
            (ColumnarKind::Feather, b"ARROW1\0\0 cut"),
        ] {
            std::fs::write(&path, bytes).unwrap();
            assert!(kind.open(&path).is_err(), "{kind:?}");
        }
    }
}
