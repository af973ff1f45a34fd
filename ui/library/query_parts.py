"""The widgets that show the question of a list."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtWidgets import QWidget

from ui.library.crumbs import Breadcrumbs
from ui.library.filter_bar import FilterBar
from ui.library.grid import Grid
from ui.library.search_box import SearchBox
from ui.library.sort_menu import SortButton


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryParts:
    """The widgets that show the question.

    ``add_filter`` is the button below which filters are offered, ``over`` what they may cover.
    """

    search: SearchBox
    filters: FilterBar
    crumbs: Breadcrumbs
    sort: SortButton
    add_filter: QWidget
    over: QWidget
    grid: Grid
