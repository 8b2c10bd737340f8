"""What helps visitors: levels that show as much as they want to see, and the glossary."""
