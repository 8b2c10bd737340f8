"""What visitors may do with the classifiers and data sets that they added: the one place through which pages do it."""

from collections.abc import Iterable

from unlearn_core.data.ingest import trash
from unlearn_core.domain.cards import ClassifierCard, DatasetCard
from unlearn_core.domain.errors import NotAllowedError, NotFoundError
from unlearn_core.domain.recipe import Recipe
from unlearn_core.models import user_models
from unlearn_core.store.access import labels, owned_items
from unlearn_core.store.access.owned_items import TITLES, Item
from unlearn_core.store.access.rules import Access
from unlearn_core.store.db.database import Database


class OwnedItems:
    """The classifiers and data sets of one data folder that users added, as somebody may use them."""

    def __init__(self, database: Database, access: Access) -> None:
        self._database, self._access = database, access

    def readable(self) -> frozenset[Item] | None:
        """Return those that may be read; None for all."""
        if self._access.reads_all:
            return None
        with self._database.reading() as connection:
            return self._access.readable_items(connection)

    def changeable(self, items: Iterable[Item]) -> set[Item]:
        """Return those of some items that may be changed."""
        if self._access.actor.is_operator:
            return set(items)
        with self._database.reading() as connection:
            return {item for item in items if self._access.actor.id in owned_items.owners(connection, item)}

    def own(self) -> dict[Item, set[str]]:
        """Return the classifiers and data sets of whoever acts, each with all its owners."""
        present = owned_items.present(self._access.data_dir)
        with self._database.reading() as connection:
            found = {item: owned_items.owners(connection, item) for item in present}
        return {item: owners for item, owners in found.items() if self._access.actor.id in owners}

    def owners(self, item: Item) -> set[str]:
        """Return whom an item belongs to."""
        with self._database.reading() as connection:
            return owned_items.owners(connection, item)

    def all_owners(self) -> set[str]:
        """Return everybody who owns a classifier or data set."""
        present = owned_items.present(self._access.data_dir)
        with self._database.reading() as connection:
            return {owner for item in present for owner in owned_items.owners(connection, item)}

    def transfer(self, item: Item, owners: Iterable[str]) -> None:
        """Give one's own item to others, beside whom it belonged to before. Raises NotFoundError, NotAllowedError."""
        self.require(item)
        with self._database.writing() as connection:
            owned_items.add_owners(connection, item, owners)
            owned_items.release(connection, item, self._access.actor.id)

    def accept_classifier(self, name: str) -> None:
        """Add a validated checkpoint to the catalog. Raises NotFoundError and NotAllowedError."""
        self.require(Item("classifier", name))
        user_models.accept(name)

    def set_recipe(self, name: str, recipe: Recipe) -> ClassifierCard:
        """Set the recipe for the retrained models of a classifier; see `user_models.set_recipe`."""
        self.require(Item("classifier", name))
        return user_models.set_recipe(name, recipe)

    def removed_datasets(self) -> dict[str, DatasetCard]:
        """Return the data sets in the trash that may be read, by id."""
        readable = self.readable()
        found = trash.removed(self._access.data_dir)
        return {name: card for name, card in found.items() if readable is None or Item("dataset", name) in readable}

    def remove_dataset(self, name: str) -> None:
        """Move a data set into the trash; one that belongs to others too stays with them."""
        if self.give_up(Item("dataset", name)):
            trash.remove(self._access.data_dir, name)

    def restore_dataset(self, name: str) -> None:
        """Move a data set back from the trash."""
        self.require(Item("dataset", name))
        trash.restore(self._access.data_dir, name)

    def delete_dataset(self, name: str) -> None:
        """Delete a data set in the trash permanently; one that belongs to others too stays there."""
        if self.give_up(Item("dataset", name)):
            trash.delete(self._access.data_dir, name)
            self.forget(Item("dataset", name))

    def require(self, item: Item) -> None:
        """Raise NotFoundError if an item may not be read, and NotAllowedError if it may not be changed."""
        with self._database.reading() as connection:
            readable, owners = self._access.readable_items(connection), owned_items.owners(connection, item)
            if readable is not None and item not in readable:
                raise NotFoundError(TITLES[item.kind], item.name, [])
            if not self._access.actor.is_operator and self._access.actor.id not in owners:
                called = sorted(labels.owner_labels(connection, owners).values())
                raise NotAllowedError(f"This {TITLES[item.kind]}", " and ".join(called))

    def give_up(self, item: Item) -> bool:
        """Return True if an item belongs to nobody but whoever acts; else it belongs to the others from now on."""
        self.require(item)
        actor = self._access.actor
        with self._database.writing() as connection:
            if actor.is_operator or owned_items.owners(connection, item) == {actor.id}:
                return True
            owned_items.release(connection, item, actor.id)
        return False

    def release(self, item: Item) -> None:
        """Record that an item no longer belongs to whoever acts. Raises NotFoundError and NotAllowedError."""
        self.transfer(item, ())

    def forget(self, item: Item) -> None:
        """Remove the record of whom an item belonged to, once it is deleted. Raises NotAllowedError."""
        self.require(item)
        with self._database.writing() as connection:
            owned_items.release(connection, item, None)
