"""The kinds of findings that reading a manifest may report; `mds_lightning.audit.checks` explains each."""

from mds_lightning.cohort.finding import FindingKind

# The file
UNREADABLE_MANIFEST = FindingKind("MDS001", "error", "The manifest cannot be read")
EMPTY_MANIFEST = FindingKind("MDS002", "error", "The manifest has no header or no rows")

# Columns and cells
AMBIGUOUS_HEADER = FindingKind("MDS003", "error", "The header has unnamed, repeated or unseparated columns")
MISSING_COLUMN = FindingKind("MDS004", "error", "A required column is missing")
MISSPELT_COLUMN = FindingKind("MDS005", "error", "An optional column is misspelt")
SIMILAR_COLUMN = FindingKind(
    "MDS006", "warning", "The name of a clinical column resembles an optional column"
)
RAGGED_ROW = FindingKind("MDS007", "error", "A row has another number of cells than the header")
NON_TEXT_CELL = FindingKind("MDS008", "error", "A cell is not a single value, or not a text")
SURROUNDING_BLANKS = FindingKind("MDS009", "warning", "A cell or column name has surrounding blanks")
EMPTY_CELL = FindingKind("MDS010", "error", "A required cell is empty")
INVALID_EXTERNAL = FindingKind("MDS011", "error", "A cell of external is neither true nor false")
INVALID_BOXES = FindingKind("MDS012", "error", "A cell of boxes is not a list of boxes")
ERROR_VALUE = FindingKind("MDS013", "error", "A cell is an error value or stands for an empty cell")
SHORTENED_ID = FindingKind("MDS014", "error", "A patient_id is a number that has lost digits")
NEARLY_NUMERIC = FindingKind("MDS015", "warning", "A clinical column of numbers has other cells")
DECIMAL_COMMA = FindingKind("MDS016", "warning", "A clinical column has numbers with commas")

# Patients and labels
CONFLICTING_LABELS = FindingKind("MDS020", "error", "A patient has two labels of the task")
OTHER_LABEL = FindingKind("MDS021", "warning", "A patient has a label of the task and another label")
CONFLICTING_EXTERNAL = FindingKind("MDS022", "error", "A patient is both external and not external")
REPEATED_IMAGE = FindingKind("MDS023", "error", "An image is listed twice")
SIMILAR_VALUES = FindingKind(
    "MDS024", "warning", "Two patients, labels or sites differ only in case or blanks"
)
MISSING_LABEL = FindingKind("MDS025", "error", "A label of the task has no rows")
TOO_FEW_PATIENTS = FindingKind("MDS026", "error", "A class has fewer patients than there are folds")
SIMILAR_PATIENTS = FindingKind("MDS028", "error", "Two patient ids are probably one patient in two spellings")

#: Findings that may be wrong: `cohort.ignore` may list their codes.
IGNORABLE = tuple(kind.code for kind in (SIMILAR_PATIENTS,))

# Files
UNREADABLE_ROOT = FindingKind("MDS030", "error", "The folder of the images cannot be read")
NO_IMAGE_FOUND = FindingKind("MDS031", "error", "None of the images is in the folder of the images")
PATH_OUTSIDE_ROOT = FindingKind("MDS032", "error", "A path leads outside the folder of the images")
MISSING_FILE = FindingKind("MDS033", "error", "A file does not exist")
NOT_A_FILE = FindingKind("MDS034", "error", "A path is not a regular file")
EMPTY_FILE = FindingKind("MDS035", "error", "A file is empty")
UNREADABLE_FILE = FindingKind("MDS036", "error", "A file cannot be read")

# Duplicate images
PHOTOGRAPH_OF_TWO_PATIENTS = FindingKind("MDS040", "error", "Two patients have the same photograph")
DUPLICATE_PHOTOGRAPH = FindingKind("MDS041", "warning", "A patient has the same photograph twice")
SAME_FILE = FindingKind("MDS042", "error", "Two rows name the same file")
