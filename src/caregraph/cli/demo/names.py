"""The words of the demo: names from many languages, titles, labels and remarks. Nobody here exists."""

from caregraph.people.enums import Gender


def _words(text: str) -> tuple[str, ...]:
    """The names in `text`; a dot joins the parts of one with a space that does not break."""
    return tuple(text.replace("·", "\N{NO-BREAK SPACE}").split(" "))


GIVEN_FEMALE = _words(
    "Ada Aisha Alma Amara Anneke Astrid Beatriz Bronwyn Camille Chiara Clara Daniela Eilidh Élise Emma Esther Fatima"
    " Freja Grace Hana Hannah Ingrid Isla Ivana Jasmine Joana Kamala Katarína Leila Lena Lucía Maeve Magdalena Maja"
    " Margaret Mei-Ling Miriam Nadia Naomi Ngozi Nora Olena Paloma Priya Rosa Ruth Saoirse Siân Sofía Solveig Tereza"
    " Thandiwe Yasmin Yuki Zofia Žaneta"
)
GIVEN_MALE = _words(
    "Ahmed Aleksander Amit Andrés Antoni Arjun Arthur Björn Bruno Callum Chidi Daniel David Diego Dmitri Elias Emil"
    " Ethan Felix François Gareth George Hassan Henrik Hugo Ibrahim Ivan Jakub Jamal João Jonas Kenji Kofi Lars Leo"
    " Liam Luca Łukasz Mateo Matthew Mehmet Mihai Nikolai Noah Oluwaseun Oscar Owen Pablo Rafael Rajesh Samuel Søren"
    " Tomáš Victor Wei William Yusuf"
)
FAMILY = _words(
    "Abernathy Achterberg Adeyemi Ahlström Almeida Andersen Bakker Banerjee Bergström Bianchi Blackwood Brennan"
    " Carvalho Castellanos Chaudhry Chen Clarke Costa Da·Silva Delacroix Demir Dvořák Eriksen Fairweather Fernández"
    " Fischer Fitzgerald Fontaine García·López Gallagher Goldberg Greenwood Haddad Hansen Hashimoto Holloway Horváth"
    " Ibáñez Ivanova Jankowski Jensen Kavanagh Kaya Keller Kim Kowalczyk Kristensen Larsen Lefèvre Lindqvist MacLeod"
    " Mahmoud Mbeki Mendoza Moreau Moretti Müller Murphy Nakamura Ndiaye Nguyễn Nielsen Novák Nwosu O'Connell Okafor"
    " Öztürk Papadopoulos Park Pedersen Petrov Popescu Quigley Ramírez Rasmussen Ricci Rosenthal Sánchez Sharma"
    " Silvestri Sokolova Sørensen Stewart Szabó Takahashi Thorne Underwood Van·den·Berg Vasquez Villanueva Wainwright"
    " Wójcik Yamamoto Yilmaz Zimmermann"
)
OTHER_SCRIPTS = (
    ("Олена Коваленко", Gender.FEMALE),
    ("Дмитро Шевчук", Gender.MALE),
    ("ليلى حداد", Gender.FEMALE),
    ("يوسف منصور", Gender.MALE),
    ("李 美玲", Gender.FEMALE),
    ("佐藤 健", Gender.MALE),
    ("Ελένη Παπαδοπούλου", Gender.FEMALE),
    ("김 서준", Gender.MALE),
)

ADULT_TITLES = (
    "Individual therapy",
    "Anxiety, first course",
    "Depression, course of twelve",
    "Grief after a loss",
    "Return to work",
    "Sleep and worry",
    "Trauma-focused therapy",
    "Coping with chronic pain",
    "Life after separation",
)
CHILD_TITLES = (
    "School worries",
    "Child and family support",
    "Anger and friends",
    "Starting a new school",
    "Sleep and night fears",
    "Support for a young carer",
)
SHARED_TITLES = ("Couple counselling", "Family sessions", "Parenting together", "Mediation")
GROUP_TITLES = ("Mindfulness group", "Parents group", "Grief group", "Social skills group")

CLIENT_COMMENTS = (
    "Prefers morning appointments.",
    "Needs step-free access.",
    "Interpreter booked for each session.",
    "Letters only, no phone calls.",
    "Referred by the school.",
    "Came back after a break.",
)
EPISODE_COMMENTS = (
    "Goals reviewed at session four.",
    "Agreed to involve the family.",
    "Sessions by video where needed.",
    "Moved to fortnightly after a stable phase.",
    "Alliance discussed after a dip in the SRS.",
)
RATER_RELATIONS = (
    "Mother",
    "Father",
    "Partner",
    "Sister",
    "Grandmother",
    "Class teacher",
    "Foster carer",
    "Key worker",
)
