"""Extensions of files that are neither photos nor videos, so that a scan need not open them.

Only a shortcut: a file with any other unknown extension is told by its
first bytes.
"""

from __future__ import annotations

_TEXT = "txt md rst csv tsv json jsonl xml html htm css log ini cfg conf toml yaml yml tex srt vtt"
_CODE = "py pyc pyi pyd js mjs tsx jsx c h cc cpp hpp cs java class kt go rs rb php pl sh bat"
_CODE_2 = "ps1 lua swift m r jl sql ipynb o a so dll dylib exe msi app apk jar wasm map lock"
_DOCUMENTS = "pdf doc docx xls xlsx ppt pptx odt ods odp rtf epub mobi pages numbers key ps eps"
_ARCHIVES = "zip tar gz tgz bz2 xz zst 7z rar iso dmg img deb rpm whl cab"
_SOUND = "mp3 wav flac ogg oga opus m4a aac wma aiff mid"
_BESIDE_VIDEOS = "lrv thm"
_DATA = "db sqlite sqlite3 dat bin npy npz pt pth onnx safetensors parquet arrow lance h5 pkl"
_BESIDE_PHOTOS = "xmp aae pp3 dop on1 cos lrcat lrdata xcf kra svg svgz ai ttf otf woff woff2 icc"
_TEMPORARY = "tmp temp part partial crdownload bak swp cache"

_ALL = (_TEXT, _CODE, _CODE_2, _DOCUMENTS, _ARCHIVES, _SOUND, _BESIDE_VIDEOS, _DATA, _BESIDE_PHOTOS)

OTHER_EXTENSIONS = frozenset(" ".join((*_ALL, _TEMPORARY)).split())
