"""JavaScript that the pages of several widgets share."""

#: ``make(tag, className, parent, attributes)`` adds an element to ``parent`` and gives it back.
MAKE = """
function make(tag, className, parent, attributes = {}) {
  const element = document.createElement(tag);
  element.className = className;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (parent) parent.append(element);
  return element;
}
"""
